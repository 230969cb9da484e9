// The theme is a cookie, so that the server's first paint is already right and no inline script is needed.
const root = document.documentElement;
root.classList.add('js');

const YEAR = 31536000;

export function currentTheme() {
  return root.dataset.theme === 'light' ? 'light' : 'dark';
}

function switchTheme() {
  const theme = currentTheme() === 'light' ? 'dark' : 'light';
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
  root.dispatchEvent(new CustomEvent('bh:theme', { detail: theme }));
}

document.querySelector('#theme-switch')?.addEventListener('click', switchTheme);
