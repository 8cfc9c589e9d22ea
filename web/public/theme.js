// Runs before the first paint, so that a stored theme or language does not flash. Keys as in src/lib/preferences.ts.
(function () {
  try {
    var theme = localStorage.getItem("flow-monitor.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    var language = localStorage.getItem("flow-monitor.language") || navigator.language;
    document.documentElement.lang = /^zh/i.test(language) ? "zh-CN" : "en";
  } catch {
    // Without storage the system's theme and English stand.
  }
})();
