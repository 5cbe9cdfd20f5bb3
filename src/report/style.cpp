#include "src/report/style.hpp"

namespace vlmark::report {

std::string colour_style() {
  return R"(
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1b1f24;--soft:#57606a;--line:#c9d1d9;
--row:#f3f5f7;--good:#0a6b2d;--bad:#b3261e;--warn:#7a4d00;--link:#0b57a4;
--s0:#0072b2;--s1:#c85a00;--s2:#00795a;--s3:#a3407f;--s4:#6b5f00;--s5:#3d3fa8;--s6:#8c2f1b;--s7:#57606a;
--p0:#8a929b;--p1:#c3c9cf;--p2:#cc6677;--p3:#ddcc77;--p4:#332288;--p5:#44aa99;--p6:#882255;--p7:#aa4499;--p8:#999933;--p9:#88ccee;--p10:#e3e6e9}
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e6e9ed;--soft:#a7b1bc;--line:#3a434d;
--row:#1f262d;--good:#5bd48a;--bad:#ff8a80;--warn:#f0c05a;--link:#7ab8ff;
--s0:#56b4e9;--s1:#f09a55;--s2:#3cc79b;--s3:#df95c2;--s4:#d8c832;--s5:#9ea0f5;--s6:#f0806a;--s7:#a7b1bc;
--p0:#8a929b;--p1:#5f6973;--p2:#cc6677;--p3:#ddcc77;--p4:#7d6fe0;--p5:#44aa99;--p6:#b8477f;--p7:#c66bb8;--p8:#999933;--p9:#88ccee;--p10:#3a434d}}
)";
}

std::string figure_style() {
  std::string style = R"(
svg.figure{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
svg.figure text{fill:var(--ink)}svg.figure text.soft{fill:var(--soft)}
svg.figure text.halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px}
svg.figure text.bad{fill:var(--bad);font-weight:600}svg.figure text.strong{font-weight:600}
svg.figure .paper{fill:var(--paper)}svg.figure .row{fill:var(--row)}
svg.figure .grid{stroke:var(--line);stroke-width:.7}svg.figure .axis{stroke:var(--soft);stroke-width:1}
svg.figure .bound{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 3}
svg.figure .roof{stroke:var(--ink);stroke-width:1.6;fill:none}
svg.figure .whisker{stroke:var(--ink);stroke-width:1.4}
svg.figure .frame{fill:none;stroke:var(--ink);stroke-width:1.4}
svg.figure .band{fill:var(--s0);opacity:.14}svg.figure .failed{stroke:var(--bad);stroke-width:2}
svg.figure .dots{fill:none;stroke-width:5;stroke-linecap:round}
svg.figure .thread{fill:none;stroke-width:1;opacity:.4}
svg.figure .curve{fill:none;stroke-width:1.6}
svg.figure .bar{stroke:var(--paper);stroke-width:.75}
svg.timeline text:not(.on){fill:var(--ink)}svg.timeline .row{fill:var(--row)}svg.timeline .paper{fill:var(--paper)}
)";
  for (std::size_t i = 0; i < kSeriesColours; ++i) {
    const std::string n = std::to_string(i);
    style += "svg.figure .s" + n + "{fill:var(--s" + n + ");}svg.figure .l" + n +
             "{fill:none;stroke:var(--s" + n + ")}\n";
  }
  for (std::size_t i = 0; i < kAreaColours; ++i) {
    const std::string n = std::to_string(i);
    style += "svg.figure .p" + n + "{fill:var(--p" + n + ")}\n";
  }
  return style;
}

std::string page_style() {
  return R"(
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
main{max-width:1400px;margin:0 auto;padding:20px 16px 60px}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.25rem;margin:2.4rem 0 .5rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 .4rem;overflow-wrap:anywhere}p{margin:.3rem 0 .7rem;max-width:75ch;overflow-wrap:anywhere}
a{color:var(--link)}nav{margin:.6rem 0 1.2rem;display:flex;flex-wrap:wrap;gap:.2rem 1rem}
.note{color:var(--soft)}
.runs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:14px}
.card{border:1px solid var(--line);border-radius:6px;padding:14px 16px;min-width:0}
.card p{overflow-wrap:anywhere}.fom{font-size:1.7rem;font-weight:600;line-height:1.2;margin:.5rem 0 0}
.fom small{font-size:.95rem;font-weight:400}
.badge{display:inline-block;padding:.05rem .55rem;border:2px solid;border-radius:4px;font-weight:700;letter-spacing:.02em}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
ul{margin:.3rem 0;padding-left:1.2rem}li{overflow-wrap:anywhere}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));gap:20px 28px;align-items:start}
figure{margin:0 0 .6rem;min-width:0}.pair+.box{margin-top:1rem}figcaption{color:var(--soft);margin-top:.3rem;max-width:75ch;overflow-wrap:anywhere}
svg.figure{display:block;max-width:100%;height:auto}
.narrow{display:none}
.single .part{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));gap:12px 28px;align-items:start}.values{min-width:0}.values td,.values th{padding-left:.5rem;padding-right:.5rem}.values tbody th{min-width:4.5rem}
.box{overflow:auto;width:fit-content;max-width:100%;border:1px solid var(--line);border-radius:6px}.tall{max-height:40rem}
.box:focus-visible{outline:2px solid var(--link)}
svg.timeline{display:block}
table{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums;font-size:.92rem}
th,td{padding:.28rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
tbody th{font-weight:400;min-width:9rem}thead{position:sticky;top:0;z-index:3}thead th{background:var(--row);font-weight:600;overflow-wrap:break-word;max-width:16rem}
tbody th,thead th:first-child{position:sticky;left:0;background:var(--paper);z-index:1}thead th:first-child{background:var(--row)}
td.n,th.n{text-align:right}td.n{white-space:nowrap}td.t{text-align:right;overflow-wrap:anywhere;min-width:9rem;max-width:24rem}td.t.long,th.t{text-align:left}td.t.long{white-space:pre-line}tr.group th{background:var(--row);font-weight:600;position:static}tr.group span{position:sticky;left:.7rem}
tr.failed>*{color:var(--bad);font-weight:600}tr.differs td{font-weight:600}
td.long{min-width:16rem;max-width:38rem;overflow-wrap:anywhere}
details{margin:.7rem 0}summary{cursor:pointer;color:var(--link);padding:.15rem 0}summary:focus-visible{outline:2px solid var(--link)}
pre{margin:0;padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 ui-monospace,Consolas,monospace}
@media(max-width:640px){.wide{display:none}.narrow{display:block}main{padding:14px 12px 40px}tbody th{min-width:7rem;max-width:11rem;overflow-wrap:break-word}
th,td{padding:.28rem .5rem}tbody th,thead th:first-child{box-shadow:1px 0 0 var(--line)}}
@media print{.box{max-height:none;overflow:visible}}
)";
}

}  // namespace vlmark::report
