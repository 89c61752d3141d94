/** A tab that is older than the server asks for pages that are gone; it loads the app anew, once. */
const place = "sternpost.reloaded_at";
const PAUSE_MS = 30_000;

export function reloadWhenStale(): void {
  window.addEventListener("vite:preloadError", (event) => {
    if (Date.now() - Number(sessionStorage.getItem(place)) < PAUSE_MS) return; // the page shows the error then
    event.preventDefault();
    sessionStorage.setItem(place, String(Date.now()));
    window.location.reload();
  });
}
