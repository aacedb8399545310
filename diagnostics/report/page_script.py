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

INDEX_SCRIPT = """
const table = document.querySelector('.overview table'), find = document.getElementById('find');
if (table) {
  const body = table.tBodies[0], rows = [...body.rows], found = document.getElementById('found');
  const text = (row, column) => row.cells[column].textContent.trim();
  const whole = rows.map(row => row.textContent.toLowerCase());
  find.hidden = false;
  find.addEventListener('input', () => {
    const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, k) => {
      const fits = words.every(word => whole[k].includes(word));
      row.hidden = !fits; count += fits;
    });
    found.textContent = !words.length ? '' : count ? count.toLocaleString() : find.dataset.none;
  });
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button'; button.textContent = head.textContent; head.replaceChildren(button);
    button.addEventListener('click', () => {
      const state = head.getAttribute('aria-sort');
      const way = state === null ? 1 : state === 'ascending' ? -1 : 0;
      for (const one of heads) one.removeAttribute('aria-sort');
      if (way) head.setAttribute('aria-sort', way > 0 ? 'ascending' : 'descending');
      const keyed = rows.map(row => [text(row, column), row]);
      const order = new Intl.Collator(undefined, {numeric: true}).compare;
      if (way) keyed.sort(([a], [b]) => (a === '') - (b === '') || way * order(a, b));
      body.append(...keyed.map(([, row]) => row));
    });
  });
}
"""
"""Looks for words in the lines of an index, and sorts it by a column: up, down, and as it was."""
