"""Pages opened and used in headless Chromium."""

import html
import json
import re
import shutil
import subprocess
import sys

SHOW = """<script>
const show = (seen) => {
  const out = document.createElement("pre");
  out.id = "seen";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
};
</script>"""


def find():
    """Chromium's path; skips the test if there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        print("SKIP: there is no Chromium here")
        sys.exit(77)
    return chromium


def run(chromium, page, *options, milliseconds=4000):
    """The page's document once its scripts have run or the time is up, and the console's messages."""
    command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
               f"--virtual-time-budget={milliseconds}", *options, "--dump-dom", page.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=True)
    return result.stdout, [line for line in result.stderr.splitlines() if "CONSOLE" in line]


def use(chromium, page, text, script, *options):
    """Writes `text` to `page` with a script that uses the page and then calls show(results), and opens it. Returns
    problems, and the results or None."""
    page.write_text(text.replace("</body>", SHOW + script + "</body>"), encoding="utf-8")
    for milliseconds in (4000, 60000):  # on a busy machine the browser's clock runs ahead of the page
        dom, console = run(chromium, page, *options, milliseconds=milliseconds)
        found = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.S)
        if found:
            break
    problems = [f"console: {line}" for line in console]
    if not found:
        return problems + ["the script of the page ended early"], None
    return problems, json.loads(html.unescape(found.group(1)))
