/** Set by the build (--define); "dev" when run from source. */
declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_DATE: string | undefined;

export const VERSION = typeof BUILD_VERSION === "string" ? BUILD_VERSION : "dev";
export const COMMIT = typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "unknown";
/** Of the commit, YYYY-MM-DD. */
export const DATE = typeof BUILD_DATE === "string" ? BUILD_DATE : "1970-01-01";
