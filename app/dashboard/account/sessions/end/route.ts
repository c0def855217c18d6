import { handlersOf } from '../../../../handler'

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = handlersOf('endBrowserSession')
