/** The version that this server reports of itself. A test keeps it equal to that of `package.json`. */
export const VERSION = '0.1.0'
