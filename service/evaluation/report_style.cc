#include "service/evaluation/report_style.h"

#include "base/format.h"

namespace palisade {

const std::string_view kReportStyle = R"css(
:root { color-scheme: light dark; --ink: #1a2230; --soft: #5c6675; --paper: #f6f7f9; --card: #fff; --line: #dde1e7;
  --good: #00734f; --bad: #c2410c; --accent: #0b62b5; --fill: #bcd7f0; --truth: #00a06e; --found: #f08a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa5b4; --paper: #12161d; --card: #1b212b; --line: #2d3642;
  --good: #4fd1a5; --bad: #ff9a6b; --accent: #6bb2f5; --fill: #24486b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 10px; }
p, .note { color: var(--soft); margin: 4px 0; max-width: 80ch; }
.warning { border-left: 4px solid var(--bad); padding: 6px 12px; background: var(--card); color: var(--ink); margin: 12px 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 12px; margin: 20px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.card b { display: block; font-size: 30px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: 13px; display: block; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 6px 12px; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.bar { min-width: 170px; }
.bar svg { display: block; width: 100%; height: 18px; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 12px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.views { display: grid; grid-template-columns: repeat(auto-fit, minmax(110px, 1fr)); gap: 2px; background: var(--line); }
.view { position: relative; background: #888; }
.view img { display: block; width: 100%; height: auto; }
.view svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.gone { padding: 30px 12px; text-align: center; color: #fff; }
figcaption { padding: 10px 12px; font-size: 13px; overflow-wrap: anywhere; }
figcaption div { margin: 2px 0; }
.k { color: var(--soft); display: inline-block; min-width: 52px; }
.said { color: var(--bad); } .right { color: var(--good); }
.confusion td, .confusion th { padding: 4px 8px; text-align: right; border: 1px solid var(--line); font-variant-numeric: tabular-nums; }
.confusion th { font-weight: 500; color: var(--soft); max-width: 160px; overflow-wrap: anywhere; }
.tables { display: flex; flex-wrap: wrap; gap: 18px; } .tables .scroll { padding: 8px 10px; }
.tables table { width: auto; } caption { text-align: left; padding: 2px 0 6px; font-weight: 600; }
.plot svg { max-width: 100%; height: auto; background: #fff; border-radius: 10px; }
.filter { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; margin: 8px 0; }
input[type=search] { font: inherit; padding: 6px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--card);
  color: inherit; min-width: 240px; }
.list { max-height: 70vh; overflow: auto; } .list td { overflow-wrap: anywhere; }
.list thead th { position: sticky; top: 0; background: var(--card); }
footer { margin-top: 40px; font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
)css";

const std::string_view kReportScript = R"js(
const words = document.getElementById('words'), wrong = document.getElementById('wrong'), count = document.getElementById('count');
const rows = [...document.querySelectorAll('#list tbody tr')];
function filter() {
  const wanted = words.value.toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = (!wrong.checked || row.dataset.wrong === '1') && (wanted === '' || row.textContent.toLowerCase().includes(wanted));
    row.hidden = !fits;
    shown += fits;
  }
  count.textContent = shown + ' of ' + rows.length + ' shown';
}
if (words) { words.addEventListener('input', filter); wrong.addEventListener('change', filter); filter(); }
)js";

std::string html_text(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '&':
        html += "&amp;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\n':
        html += "\u21B5 ";
        break;
      default:
        html += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
  return html;
}

std::string page_head(std::string_view title) {
  return format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      html_text(title), kReportStyle);
}

std::string page_end() {
  return format("</main>\n<script>{}</script>\n</body>\n</html>\n", kReportScript);
}

}  // namespace palisade
