// The theme is a cookie, so that the server's first paint is already right and no inline script is needed. Without one
// the system's preference counts.
const root = document.documentElement;
root.classList.add('js');

const YEAR = 31536000;
const system = window.matchMedia('(prefers-color-scheme: light)');

export function currentTheme() {
  return root.dataset.theme ?? (system.matches ? 'light' : 'dark');
}

function tell() {
  root.dispatchEvent(new CustomEvent('bh:theme', { detail: currentTheme() }));
}

function switchTheme() {
  const theme = currentTheme() === 'light' ? 'dark' : 'light';
  root.dataset.theme = theme;
  document.querySelector('#light').media = theme === 'light' ? 'all' : 'not all';
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
  tell();
}

document.querySelector('#theme-switch')?.addEventListener('click', switchTheme);
system.addEventListener('change', () => root.dataset.theme === undefined && tell());
