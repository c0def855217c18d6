import { VERSION } from '#lib/config/version'

/** The style sheet as every page links it: the version makes a new release fetch it anew. */
export const STYLE_SHEET = `/gatehouse.css?v=${VERSION}`
