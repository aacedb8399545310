"""The script of a report; without it every part of the page is still there to read."""

from __future__ import annotations

PAGE_SCRIPT = """
for (const box of document.querySelectorAll('.copyable')) {
  const button = box.querySelector('button'), text = box.querySelector('code').textContent + '\\n';
  button.hidden = false;
  const name = button.textContent;
  const selected = () => { const all = document.createRange(); all.selectNodeContents(box.querySelector('code'));
    getSelection().removeAllRanges(); getSelection().addRange(all); document.execCommand('copy'); };
  button.addEventListener('click', async () => {
    try { await navigator.clipboard.writeText(text); } catch { selected(); }
    button.textContent = button.dataset.done; setTimeout(() => { button.textContent = name; }, 1600);
  });
}
const unfold = () => {
  const aim = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = aim && aim.closest('details');
  if (folded) { folded.open = true; aim.scrollIntoView({behavior: 'instant'}); }
};
addEventListener('hashchange', unfold); unfold();
"""
"""Copies the text of a box, and unfolds the run that a link leads to."""
