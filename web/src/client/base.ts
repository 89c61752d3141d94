/** Where this app is mounted: the folder above its own script, so that a reverse proxy may choose a sub-path. */
const mounted = new URL(import.meta.env.DEV ? "/" : "../", import.meta.url).pathname;

export const basePath = mounted.replace(/\/$/, "");

/** The address users point their SDKs at, as this browser sees it. */
export const publicUrl = typeof window === "undefined" ? "" : `${window.location.origin}${basePath}`;
