"""The style of a report: for screen, phone and paper, in light and dark."""

from __future__ import annotations

SHEET = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.55;
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:1040px;margin:0 auto;padding:48px 24px 80px}
h1,h2,h3{line-height:1.2;margin:0;text-wrap:balance;overflow-wrap:anywhere}
h1{font-size:30px;letter-spacing:-.015em}
h2{font-size:27px;letter-spacing:-.01em}
h3{font-size:18px;margin:44px 0 14px}
p{margin:0;max-width:68ch}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:3px}
a:hover{text-decoration-color:currentColor}
code,pre{font:13.5px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}
td code,.nowrap{white-space:nowrap}
pre{background:var(--wash);border-radius:10px;padding:14px 16px;margin:12px 0 0;overflow-x:auto}
.soft{color:var(--soft)}
.small{font-size:14px}
.over{color:var(--soft);font-size:14px;margin-bottom:8px;overflow-wrap:anywhere}
section{margin-top:64px;scroll-margin-top:16px}
header+section{margin-top:32px}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:24px 28px}
.verdict{border-left:5px solid var(--tone)}
.verdict h2{margin:14px 0 10px}
.verdict .lead{font-size:18px}
.chip{display:inline-flex;gap:7px;align-items:center;white-space:nowrap;color:var(--tone);font-size:14px;
font-weight:600;padding:2px 11px 2px 9px;border-radius:99px;
border:1px solid color-mix(in srgb,var(--tone) 35%,transparent);
background:color-mix(in srgb,var(--tone) 9%,transparent)}
.facts{display:flex;flex-wrap:wrap;gap:14px 36px;margin:20px 0 0}
.facts div{min-width:0}
.rate{display:flex;flex-wrap:wrap;align-items:center;gap:8px 28px;margin:20px 0 0}
.rate p{margin:0;flex:1 1 260px;max-width:60ch}
.gauge{width:460px;max-width:100%;height:auto}
.facts dt{color:var(--soft);font-size:13px}
.facts dd{margin:0;font-weight:550;overflow-wrap:anywhere}
.filter{border:0;margin:20px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:8px;min-width:0}
.filter legend,.filter input{position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%);white-space:nowrap}
.filter .chip{cursor:pointer;padding:4px 13px}
.filter .chip b{font-weight:600;opacity:.75}
.filter .chip:has(:checked){background:var(--tone);color:var(--card);border-color:transparent}
.filter .chip:has(:focus-visible){outline:2px solid var(--ink);outline-offset:2px}
#find{display:block;width:100%;max-width:420px;margin:20px 0 6px;padding:7px 14px;font:inherit;color:inherit;
background:var(--card);border:1px solid var(--line);border-radius:99px}
#find[hidden],tr[hidden]{display:none!important}
th button{all:unset;cursor:pointer}
th button:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
th button:hover,th[aria-sort] button{color:var(--ink)}
th[aria-sort=ascending] button::after{content:" ↑"}th[aria-sort=descending] button::after{content:" ↓"}
.overview{margin-top:16px}
.overview table{table-layout:fixed}
.overview td{overflow-wrap:anywhere}
.overview .change{white-space:normal}
.overview th:nth-child(1){width:29%}.overview th:nth-child(2){width:14%}.overview th:nth-child(3){width:18%}
.overview th:nth-child(4){width:10%}
.run{margin-top:0;padding:9px 0}
.run[open]{padding-bottom:48px}
.run>summary .line{display:inline-flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline;width:calc(100% - 20px);
vertical-align:top;overflow-wrap:anywhere;font-weight:400}
.run>summary b{font-weight:600;min-width:0}
header+.run,section+.run{margin-top:40px}
.run[open]+section{margin-top:24px}
.to-top{position:fixed;right:20px;bottom:18px;background:var(--card);border:1px solid var(--line);border-radius:99px;
padding:5px 14px;font-size:14px;text-decoration:none;box-shadow:0 2px 10px rgb(0 0 0/.12)}
.copyable{position:relative}
.copyable pre{max-height:360px;overflow:auto}
.copyable button{position:absolute;top:8px;right:8px;font:600 13px/1.5 inherit;font-family:inherit;color:var(--ink);
background:var(--card);border:1px solid var(--line);border-radius:8px;padding:3px 12px;cursor:pointer}
.copyable button:hover{border-color:var(--soft)}
.verdict>h3{margin:32px 0 10px}
.doubt{margin-top:14px;padding:8px 14px;border-radius:10px;font-weight:550;
background:color-mix(in srgb,var(--unstable) 12%,transparent)}
.answers{display:grid;grid-template-columns:1fr 1fr;gap:8px 22px;padding:14px 0;border-top:1px solid var(--line)}
.answers .question{grid-column:1/-1;max-width:none;white-space:pre-line;overflow-wrap:anywhere}
.answer{min-width:0}
.answer .who{font-size:13px;font-weight:600;color:var(--tone,var(--soft))}
.answer code{white-space:pre-wrap}
figure{margin:20px 0 0}
figure.card{padding:20px 20px 14px}
figure .chart{width:100%}
figcaption{color:var(--soft);font-size:13.5px;margin-top:10px;padding:0 4px}
.drawing{position:relative}
.narrow{display:none}
.finding{border-left:3px solid var(--tone);padding:2px 0 2px 16px;margin:0 0 20px}
.finding b{font-weight:600}
.finding .where{color:var(--soft);font-size:14px;margin-top:3px}
.numbers{display:flex;flex-wrap:wrap;gap:6px 8px;margin-top:8px}
.numbers span{background:var(--wash);border-radius:6px;padding:1px 9px;font-size:13.5px;color:var(--soft)}
.numbers b{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
.table{border:1px solid var(--line);border-radius:14px;background:var(--card);overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:15px}
th{font-weight:500;color:var(--soft);text-align:left;font-size:13px;white-space:nowrap}
th,td{padding:11px 16px;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child td{border-bottom:0}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.wide{min-width:15em}
tr.chosen td{background:color-mix(in srgb,var(--healthy) 8%,transparent)}
.intro{color:var(--soft);margin:-4px 0 14px}
.halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:20px;margin-top:20px}
.halves figure{margin:0}
.plotname{font-weight:600;padding:0 4px 10px}
.legend{display:flex;flex-wrap:wrap;gap:4px 22px;color:var(--ink);margin-bottom:8px}
.legend span{display:inline-flex;gap:6px;align-items:center}
.change{white-space:nowrap;font-variant-numeric:tabular-nums}
.change .new{font-weight:650}
details{margin-top:14px;border-top:1px solid var(--line);padding-top:14px}
summary{cursor:pointer;font-weight:550}
details>*:not(summary){margin-top:12px}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(215px,1fr));gap:6px 28px;margin:0}
.pairs div{display:flex;justify-content:space-between;gap:16px;border-bottom:1px dotted var(--line);padding:3px 0;
font-size:14.5px;min-width:0}
.pairs dt{color:var(--soft)}
.pairs dd{margin:0;text-align:right;overflow-wrap:anywhere;min-width:0}
ul{margin:0;padding-left:20px}
li{margin:3px 0;overflow-wrap:anywhere}
.readout{position:absolute;z-index:2;pointer-events:none;white-space:pre;background:var(--ink);color:var(--card);
font-size:12px;line-height:1.45;border-radius:7px;padding:6px 10px;font-variant-numeric:tabular-nums}
footer{margin-top:72px;color:var(--soft);font-size:13.5px}
@media (max-width:640px){
th,th.number{white-space:normal}th,td{padding:10px 9px}table{font-size:14px}
main{padding:28px 16px 56px}
h1{font-size:25px}h2{font-size:23px}section{margin-top:48px}
.card{padding:20px 18px}figure.card{padding:14px 8px 10px}
.wide{display:none}.narrow{display:block}
.stacks thead{display:none}
.stacks,.stacks tbody,.stacks tr,.stacks td{display:block;width:100%}
.stacks tr{padding:10px 0;border-bottom:1px solid var(--line)}
.stacks tbody tr:last-child{border-bottom:0}
.stacks td,.stacks td.number{border:0;padding:3px 16px;text-align:left;white-space:normal;display:grid;
grid-template-columns:92px minmax(0,1fr);gap:12px}
.stacks td::before{content:attr(data-label);color:var(--soft);font-size:13px;line-height:23px}
.stacks td:empty{display:none}
.stacks td>div{overflow-wrap:anywhere;min-width:0}
.overview td:first-child{display:block;font-weight:600;padding-bottom:6px}
.overview td:first-child::before{content:none}
td.wide{min-width:0}
.answers{grid-template-columns:minmax(0,1fr)}
}
@media print{
body{background:#fff;font-size:11pt}main{max-width:none;padding:0}
.card,.table,figure,.finding,tr{break-inside:avoid}h3{break-after:avoid}
.readout,.to-top,.filter,#find,.copyable button{display:none}.copyable pre{max-height:none}section{margin-top:32px}
}
"""
