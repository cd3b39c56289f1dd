/**
 * The theme, set before the first paint: a module would come too late and flash. `auto` follows the
 * system; the choice is kept in localStorage. A classic script, loaded in the head.
 */
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const contrast = matchMedia('(prefers-contrast: more)');

  function chosen() {
    try {
      return localStorage.getItem('stationd.theme') ?? 'auto';
    } catch {
      return 'auto'; // Storage may be forbidden; the page works without it.
    }
  }

  function apply() {
    const choice = chosen();
    const root = document.documentElement.dataset;
    const fromSystem = dark.matches ? 'dark' : 'light';
    root.theme = choice === 'light' || choice === 'dark' ? choice : fromSystem;
    root.contrast = choice === 'contrast' || contrast.matches ? 'more' : 'normal';
    dispatchEvent(new Event('stationd:themed'));
  }

  apply();
  dark.addEventListener('change', apply);
  contrast.addEventListener('change', apply);
  addEventListener('storage', apply);
  addEventListener('stationd:theme', apply);
})();
