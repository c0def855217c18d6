/** The version of the product, kept equal to package.json by a test. */
export const VERSION = '0.1.0'

/** What people read at the top of every page and on the consent page. */
export const NAME = 'Notebook'
