// Runs before the first paint, so that a chosen theme doesn't flash.
try {
    const chosen = localStorage.getItem('cache-admin-theme');
    if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
    // Without storage, the system's theme is used.
}
