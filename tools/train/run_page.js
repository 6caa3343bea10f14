"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { points, stages, evaluations, references, pictures, end, settings } = data;
  const $ = (id) => document.getElementById(id);
  const RELOAD_SECONDS = 30;
  const isRunning = !end;

  /* ---- state that survives a reload ---- */

  const stateKey = "limn-run:" + location.pathname;
  let state = { axis: "step", evaluation: null, reload: true };
  try { Object.assign(state, JSON.parse(sessionStorage.getItem(stateKey) || "{}")); } catch { /* no storage */ }
  function keep(changes) {
    Object.assign(state, changes);
    try { sessionStorage.setItem(stateKey, JSON.stringify(state)); } catch { /* no storage */ }
  }

  /* ---- elements and numbers ---- */

  /* Strings become text, never markup. */
  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }
  function svg(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const isNumber = (x) => typeof x === "number" && Number.isFinite(x);
  const whole = (x) => Math.round(x).toLocaleString("en-US");
  const plural = (n, word) => `${whole(n)} ${word}${n === 1 ? "" : "s"}`;
  const fixed = (digits) => (x) => x.toFixed(digits);
  const percent = (x) => `${(100 * x).toFixed(1)} %`;
  function short(x) {
    if (x === 0) return "0";
    if (Math.abs(x) < 1e-3) return x.toExponential(1).replace("e-", "e−").replace(".0e", "e");
    return Math.abs(x) >= 1000 ? whole(x) : String(Number(x.toPrecision(3)));
  }
  const last = (values) => values[values.length - 1];
  function lastNumber(values) {
    for (let i = values.length - 1; i >= 0; i--) if (isNumber(values[i])) return values[i];
    return NaN;
  }
  function duration(seconds) {
    const minutes = Math.round(seconds / 60);
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (minutes < 100) return `${minutes} min`;
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }

  function shortDuration(seconds) {
    const minutes = Math.round(seconds / 60);
    return minutes < 100 ? duration(seconds) : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} h`;
  }

  /* ---- the run ---- */

  const steps = points.step;
  const lastStep = Math.max(0, lastNumber(steps) || 0, ...evaluations.map((e) => e.step || 0));
  const stageEnd = (i) => (i + 1 < stages.length ? stages[i + 1].first : lastStep);
  function stageAt(step) {
    let i = stages.length - 1;
    while (i > 0 && stages[i].first >= step) i--;
    return stages[i];
  }

  /* The number of the point nearest to a value of ascending xs. */
  function nearest(xs, x) {
    let low = 0, high = xs.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle + 1; else high = middle;
    }
    return low > 0 && x - xs[low - 1] < xs[low] - x ? low - 1 : low;
  }

  /* ys at x, on the straight line between the points beside it. */
  function between(xs, ys, x) {
    const i = xs.findIndex((value) => value >= x);
    if (i < 0) return lastNumber(ys);
    const x0 = i ? xs[i - 1] : 0, y0 = i ? ys[i - 1] : 0;
    return xs[i] === x0 ? ys[i] : y0 + (ys[i] - y0) * (x - x0) / (xs[i] - x0);
  }

  const hasTime = points.seconds.some(isNumber);
  const totalSeconds = hasTime ? lastNumber(points.seconds) : 0;
  const hours = totalSeconds > 7200;
  const axisNow = () => (hasTime ? state.axis : "step");
  function along(step) {
    if (axisNow() === "step") return step;
    return between(steps, points.seconds, step) / (hours ? 3600 : 60);
  }
  const axisUnit = () => (axisNow() === "step" ? "" : hours ? " h" : " min");

  /* Moving average over the points on both sides, of the same stage, with weights that fall to the ends. */
  function smooth(ys) {
    const reach = Math.max(3, Math.round(ys.length / 70));
    const stageOf = stages.length ? steps.map((step) => stageAt(step)) : steps.map(() => null);
    return ys.map((y, i) => {
      let sum = 0, total = 0;
      for (let k = Math.max(0, i - reach); k <= Math.min(ys.length - 1, i + reach); k++) {
        if (!isNumber(ys[k]) || stageOf[k] !== stageOf[i]) continue;
        const weight = reach + 1 - Math.abs(i - k);
        sum += weight * ys[k];
        total += weight;
      }
      return isNumber(y) && total ? sum / total : NaN;
    });
  }

  const sets = [...new Set(evaluations.map((e) => e.set || "dev"))];
  const mainSet = sets.includes("dev") ? "dev" : sets[0];
  const ofSet = (set) => evaluations.filter((e) => (e.set || "dev") === set);
  const mainEvaluations = ofSet(mainSet);
  const bestEvaluation = mainEvaluations.filter((e) => e.best).pop();
  const mainScore = ["CIDEr", ...Object.keys((mainEvaluations[0] || { scores: {} }).scores)]
    .find((key) => mainEvaluations.some((e) => isNumber(e.scores[key])));

  /* ---- curves ---- */

  function curvesOf(set) {
    const list = ofSet(set), xs = list.map((e) => e.step);
    const keys = [...new Set(list.flatMap((e) => Object.keys(e.scores)))];
    keys.sort((a, b) => (b === mainScore) - (a === mainScore));
    const best = list.filter((e) => e.best).pop();
    return {
      title: sets.length > 1 ? `Scores, ${set}` : "Scores", wide: true, format: fixed(1),
      series: keys.slice(0, 6).map((key) => ({ name: key, xs, dots: true,
        ys: list.map((e) => (isNumber(e.scores[key]) ? 100 * e.scores[key] : NaN)) })),
      best: best && isNumber(best.scores[mainScore]) ? { x: best.step, y: 100 * best.scores[mainScore] } : null,
    };
  }

  function listCharts() {
    const measured = (key, name) => [{ name: "", xs: steps, ys: points[key], raw: true },
      { name, xs: steps, ys: smooth(points[key]) }];
    const evaluated = (key, name) => ({ name, xs: mainEvaluations.map((e) => e.step), dots: true,
      ys: mainEvaluations.map((e) => (isNumber(e[key]) ? e[key] : NaN)) });
    const devLoss = evaluated("loss", mainSet);
    const shares = [evaluated("distinct", "distinct captions"), evaluated("bad_endings", "bad endings")];
    shares.forEach((s) => { s.ys = s.ys.map((y) => 100 * y); });
    const charts = [
      { title: "Loss", wide: true, format: fixed(3), robust: true,
        series: [...measured("loss", "train"), ...(devLoss.ys.some(isNumber) ? [devLoss] : [])] },
      ...sets.map(curvesOf),
      { title: "Learning rate", format: short, zero: true,
        series: [{ name: "rate", xs: steps, ys: points.rate }] },
      { title: "Gradient norm", format: short, zero: true, robust: true, series: measured("norm", "norm") },
      { title: "Tokens per second", format: whole, zero: true, series: measured("speed", "speed") },
      { title: "Captions, % of all", format: fixed(1), zero: true, series: shares },
      { title: "Reward", format: fixed(1), series: measured("reward", "reward") },
    ];
    return charts.filter((c) => c.series.some((s) => s.ys.some(isNumber)));
  }

  /* ---- a chart ---- */

  /* About n round numbers in low … high. */
  function ticks(low, high, n) {
    const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 2.5, 5, 10].find((m) => m * power >= rough * 0.999);
    const list = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-6; k++) list.push(Number((k * step).toPrecision(12)));
    return list;
  }

  function rangeOf(chart) {
    let values = chart.series.flatMap((s) => s.ys).filter(isNumber);
    const sorted = [...values].sort((a, b) => a - b);
    let low = chart.zero ? 0 : sorted[0], high = last(sorted);
    /* A few values far above the others would leave no room for these. */
    const usual = sorted[Math.floor(0.98 * (sorted.length - 1))];
    if (chart.robust && high - low > 1.6 * (usual - low) && usual > low) high = usual + 0.15 * (usual - low);
    /* The first value, often far above, is what the others are compared with. */
    if (chart.robust) high = Math.max(high, ...chart.series.map((s) => s.ys.find(isNumber)).filter(isNumber));
    if (high <= low) { high = low + Math.max(1e-9, Math.abs(low) * 0.1); low = chart.zero ? 0 : low - Math.abs(low) * 0.1; }
    const margin = (high - low) * 0.06;
    return [chart.zero ? 0 : low - margin, high + margin];
  }

  const charts = [];
  let cursor = null; /* a step, in all charts at once */

  function pathOf(s, x, y) {
    let d = "", pen = "M";
    s.xs.forEach((step, i) => {
      if (!isNumber(s.ys[i])) { pen = "M"; return; }
      d += `${pen}${x(step).toFixed(1)} ${y(s.ys[i]).toFixed(1)}`;
      pen = "L";
    });
    return d;
  }

  function drawStages(chart, plot, box, x) {
    stages.forEach((stage, i) => {
      const from = x(stage.first), to = x(stageEnd(i));
      if (i % 2) plot.append(svg("rect", { class: "band", x: from, y: box.top, width: Math.max(0, to - from), height: box.height }));
      if (i) plot.append(svg("line", { class: "edge", x1: from, x2: from, y1: box.top, y2: box.top + box.height }));
      if (stages.length > 1 && to - from > 6.2 * stage.name.length + 8)
        plot.append(svg("text", { class: "stage", x: from + 5, y: box.top - 5 }, stage.name));
    });
  }

  function drawAxes(chart, plot, box, x, y) {
    const [low, high] = chart.range;
    for (const value of ticks(low, high, chart.wide ? 5 : 4)) {
      plot.append(svg("line", { class: "grid", x1: box.left, x2: box.left + box.width, y1: y(value), y2: y(value) }),
        svg("text", { x: box.left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)));
    }
    const end = along(lastStep) || 1;
    for (const value of ticks(0, end, Math.max(2, Math.floor(box.width / 90)))) {
      const at = box.left + value / end * box.width;
      plot.append(svg("text", { x: at, y: box.top + box.height + 17, "text-anchor": at > box.left + box.width - 16 ? "end" : "middle" },
        short(value) + axisUnit()));
    }
  }

  function drawSeries(chart, plot, x, y) {
    for (const s of chart.series) {
      plot.append(svg("path", { class: `line s${s.style}${s.raw ? " raw" : ""}`, d: pathOf(s, x, y) }));
      const few = s.xs.length < 40 || s.ys.filter(isNumber).length < 2;
      if (s.dots && few) s.xs.forEach((step, i) => {
        if (isNumber(s.ys[i])) plot.append(svg("circle", { class: `dot d${s.style}`, cx: x(step), cy: y(s.ys[i]), r: 3.2 }));
      });
    }
  }

  function drawBest(chart, group, box, x, y) {
    if (!chart.best) return;
    const cx = x(chart.best.x), cy = y(chart.best.y);
    const isRight = cx > box.left + box.width - 70;
    group.append(svg("circle", { class: "best", cx, cy, r: 6 }),
      svg("text", { class: "best-label", x: cx + (isRight ? 4 : 0), y: cy > box.top + 24 ? cy - 11 : cy + 20,
        "text-anchor": isRight ? "end" : "middle" }, `best ${chart.format(chart.best.y)}`));
  }

  function draw(chart) {
    const width = Math.max(160, chart.figure.clientWidth - parseFloat(getComputedStyle(chart.figure).paddingLeft) * 2);
    const height = chart.wide ? 250 : 170;
    const box = { left: 46, top: stages.length > 1 ? 18 : 8, width: width - 46 - 8 };
    box.height = height - box.top - 24;
    const [low, high] = chart.range, end = along(lastStep) || 1;
    const x = (step) => box.left + along(step) / end * box.width;
    const y = (value) => box.top + box.height - (value - low) / (high - low) * box.height;
    const clip = `clip-${chart.index}`;
    chart.plot.replaceChildren();
    chart.plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    chart.plot.setAttribute("height", height);
    chart.plot.append(svg("clipPath", { id: clip }, svg("rect", { x: box.left - 4, y: box.top, width: box.width + 8, height: box.height })));
    drawStages(chart, chart.plot, box, x);
    drawAxes(chart, chart.plot, box, x, y);
    const lines = svg("g", { "clip-path": `url(#${clip})` });
    drawSeries(chart, lines, x, y);
    chart.marks = svg("g", {});
    chart.plot.append(lines);
    drawBest(chart, chart.plot, box, x, y);
    chart.plot.append(chart.marks);
    Object.assign(chart, { x, y, box, width });
  }

  /* What the curves are where the cursor is, or at their ends. */
  function read(chart) {
    const step = cursor === null ? lastStep : cursor;
    const values = [];
    chart.marks.replaceChildren();
    if (cursor !== null)
      chart.marks.append(svg("line", { class: "cursor", x1: chart.x(step), x2: chart.x(step), y1: chart.box.top, y2: chart.box.top + chart.box.height }));
    for (const s of chart.series) {
      if (!s.name || !s.xs.length) continue;
      const i = nearest(s.xs, step), value = cursor === null ? lastNumber(s.ys) : s.ys[i];
      s.value.textContent = isNumber(value) ? chart.format(value) : "–";
      s.item.classList.toggle("off", !isNumber(value));
      if (!isNumber(value)) continue;
      values.push(`${s.name} ${chart.format(value)}`);
      if (cursor !== null && value <= chart.range[1])
        chart.marks.append(svg("circle", { class: `dot d${s.style}`, cx: chart.x(s.xs[i]), cy: chart.y(value), r: 4.5 }));
    }
    chart.at.textContent = cursor === null ? "" : where(step);
    chart.plot.setAttribute("aria-valuenow", Math.round(step));
    chart.plot.setAttribute("aria-valuetext", `${where(step)}: ${values.join(", ")}`);
  }

  function where(step) {
    const i = steps.length ? nearest(steps, step) : -1;
    const epoch = i >= 0 && isNumber(points.epoch[i]) ? ` · epoch ${points.epoch[i].toFixed(1)}` : "";
    const time = i >= 0 && axisNow() === "time" ? ` · ${duration(points.seconds[i])}` : "";
    return `step ${whole(step)}${epoch}${time}`;
  }

  function setCursor(step) {
    cursor = step;
    charts.forEach(read);
  }

  /* The steps at which a chart has values. */
  const stopsOf = (chart) => chart.series.reduce((a, s) => (s.xs.length > a.length ? s.xs : a), []);

  function listen(chart) {
    const point = (event) => {
      const bounds = chart.plot.getBoundingClientRect(), stops = stopsOf(chart);
      const at = (event.clientX - bounds.left) * chart.width / bounds.width;
      if (stops.length) setCursor(stops[nearest(stops.map(chart.x), at)]);
    };
    chart.plot.addEventListener("pointermove", point);
    chart.plot.addEventListener("pointerdown", point);
    chart.plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") setCursor(null); });
    chart.plot.addEventListener("blur", () => setCursor(null));
    chart.plot.addEventListener("keydown", (event) => {
      const stops = stopsOf(chart), at = cursor === null ? stops.length - 1 : nearest(stops, cursor);
      const big = Math.max(1, Math.round(stops.length / 20));
      const to = { ArrowLeft: at - (cursor === null ? 0 : 1), ArrowRight: at + 1, ArrowDown: at - 1, ArrowUp: at + 1,
        PageDown: at - big, PageUp: at + big, Home: 0, End: stops.length - 1 }[event.key];
      if (event.key === "Escape") setCursor(null);
      if (to === undefined || !stops.length) return;
      event.preventDefault();
      setCursor(stops[Math.min(stops.length - 1, Math.max(0, to))]);
    });
  }

  function legendItem(s) {
    s.value = make("b", "");
    const sample = svg("svg", { viewBox: "0 0 22 10", "aria-hidden": "true" },
      svg("line", { class: `line s${s.style}`, x1: 1, x2: 21, y1: 5, y2: 5 }));
    s.item = make("li", "", sample, s.name, " ", s.value);
    return s.item;
  }

  function addChart(chart, index) {
    let style = 0;
    chart.index = index;
    for (const s of chart.series) s.style = s.raw ? style + 1 : ++style;
    chart.range = rangeOf(chart);
    chart.at = make("span", "at");
    chart.plot = svg("svg", { class: "plot", tabindex: "0", role: "slider", "aria-label": chart.title,
      "aria-valuemin": "0", "aria-valuemax": Math.round(lastStep) });
    const legend = make("ul", "legend", ...chart.series.filter((s) => s.name).map(legendItem));
    chart.figure = make("figure", chart.wide ? "wide" : "",
      make("figcaption", "", make("b", "", chart.title), chart.at), legend, chart.plot);
    $("charts").append(chart.figure);
    charts.push(chart);
    listen(chart);
  }

  /* Twelve columns: as many charts a row as fit, rows as even as possible. */
  function spread(figures, most) {
    const rows = Math.ceil(figures.length / most);
    let left = figures.length;
    for (let row = 0; row < rows; row++) {
      const n = Math.ceil(left / (rows - row));
      figures.slice(figures.length - left, figures.length - left + n).forEach((f) => f.style.setProperty("--span", 12 / n));
      left -= n;
    }
  }

  function drawAll() {
    charts.forEach(draw);
    charts.forEach(read);
  }

  function setAxis(axis) {
    keep({ axis });
    $("by-step").setAttribute("aria-pressed", String(axis === "step"));
    $("by-time").setAttribute("aria-pressed", String(axis === "time"));
    drawAll();
  }

  /* ---- how the run is ---- */

  function secondsLeft() {
    const stage = last(stages), n = steps.length;
    if (!stage || !isNumber(stage.n_steps) || !hasTime || n < 2) return NaN;
    let from = n - 1;
    while (from > 0 && from > n - 30 && steps[from - 1] > stage.first) from--;
    const pace = (points.seconds[n - 1] - points.seconds[from]) / (steps[n - 1] - steps[from]);
    return pace * (stage.first + stage.n_steps - lastStep);
  }

  /* Whether the file is older than the run's own rhythm explains; the time of the last news. */
  function stalled() {
    const changed = new Date(document.lastModified), age = (Date.now() - changed) / 1000;
    const gap = steps.length > 1 ? totalSeconds / steps.length : 0;
    return isRunning && age > Math.max(900, 8 * gap) ? changed : null;
  }

  function showLead() {
    const stage = last(stages), since = stalled();
    const parts = [];
    if (since) {
      $("lead").classList.add("bad");
      parts.push(`No update since ${since.toLocaleString()}. If the run was stopped, limn-train --resume continues it. `);
    }
    if (!stage && !steps.length) parts.push("Nothing has been logged yet.");
    else if (end) parts.push(make("b", "", "Finished"), ` after ${plural(lastStep, "step")}${hasTime ? ` in ${duration(totalSeconds)}` : ""}.`);
    else {
      const done = stage ? lastStep - stage.first : lastStep;
      const of = stage && isNumber(stage.n_steps) ? ` of ${whole(stage.n_steps)}` : "";
      const name = stage && stage.name ? `Stage ${stage.name}` : "Running";
      const epoch = isNumber(lastNumber(points.epoch)) ? `, epoch ${lastNumber(points.epoch).toFixed(2)}` : "";
      parts.push(make("b", "", name), `: step ${whole(done)}${of}${epoch}.`);
      if (stage && isNumber(stage.n_steps) && stage.n_steps > 0) {
        $("bar").hidden = false;
        $("bar").firstElementChild.style.width = `${Math.min(100, 100 * done / stage.n_steps)}%`;
      }
    }
    $("lead").append(...parts);
  }

  function tile(name, value, ...details) {
    $("tiles").append(make("div", "", make("dt", "", name), make("dd", "value", value),
      ...details.filter(Boolean).map((text) => make("dd", "detail", text))));
  }

  function showTiles() {
    const newest = last(mainEvaluations), loss = lastNumber(smooth(points.loss)), left = secondsLeft();
    if (bestEvaluation)
      tile(`Best ${mainScore}, ${mainSet}`, (100 * bestEvaluation.scores[mainScore]).toFixed(1),
        `at step ${whole(bestEvaluation.step)}${bestEvaluation.stage ? `, ${bestEvaluation.stage}` : ""}`,
        newest !== bestEvaluation && isNumber(newest.scores[mainScore]) ? `newest ${(100 * newest.scores[mainScore]).toFixed(1)}` : "");
    if (isNumber(loss))
      tile("Loss", loss.toFixed(3), newest && isNumber(newest.loss) ? `${mainSet} ${newest.loss.toFixed(3)}` : "");
    if (newest && isNumber(newest.distinct))
      tile("Distinct captions", percent(newest.distinct), isNumber(newest.bad_endings) ? `${percent(newest.bad_endings)} end badly` : "");
    if (isNumber(lastNumber(points.speed))) tile("Tokens per second", whole(lastNumber(smooth(points.speed))));
    if (hasTime)
      tile("Time", shortDuration(totalSeconds), isRunning && isNumber(left) && left > 0 ? `about ${duration(left)} to the end of the stage` : "");
    const start = stages.find((s) => isNumber(s.pictures));
    if (start) tile("Images", whole(start.pictures), isNumber(start.captions) ? `${whole(start.captions)} captions` : "");
  }

  /* ---- captions ---- */

  const sampled = mainEvaluations.filter((e) => e.captions);
  const words = (text) => text.split(" ").filter(Boolean);

  /* Which words of `now` are not in the longest run of words that it shares with `before`. */
  function changes(before, now) {
    const a = words(before), b = words(now);
    const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    const isNew = b.map(() => true);
    for (let i = 0, j = 0; i < a.length && j < b.length;)
      if (a[i] === b[j]) { isNew[j] = false; i++; j++; } else if (table[i + 1][j] >= table[i][j + 1]) i++; else j++;
    return b.map((word, j) => [word, isNew[j]]);
  }

  function captionOf(evaluation, file) {
    const found = evaluation && evaluation.captions.find((c) => c[0] === file);
    return found ? found[1] : null;
  }

  function heading(before, now) {
    if (now === null || now === "") return [make("span", "none", now === null ? "(not in this evaluation)" : "(no words)")];
    if (before === null) return [now];
    return changes(before, now).flatMap(([word, isNew], i) => [i ? " " : "", isNew ? make("mark", "", word) : word]);
  }

  /* The captions of an image without repetitions, the newest first. */
  function history(file) {
    const list = [];
    for (const e of sampled) {
      const caption = captionOf(e, file);
      if (caption !== null && (!list.length || last(list).caption !== caption)) list.push({ step: e.step, caption });
    }
    return list.reverse();
  }

  const samples = [];

  /* What it shows is what people wrote of it. */
  function picture(file) {
    if (!Object.hasOwn(pictures, file)) return [];
    const image = make("img");
    image.src = pictures[file];
    image.alt = (references[file] || [])[0] || file;
    return [image];
  }

  function addSample(file) {
    const sample = { file, heading: make("h3") }, versions = history(file);
    const item = make("li", "", ...picture(file), make("p", "name", file), sample.heading,
      make("ul", "", ...(references[file] || []).map((text) => make("li", "", text))));
    if (versions.length > 1)
      item.append(make("details", "", make("summary", "", `${versions.length} versions`),
        make("ol", "history", ...versions.map((v) => make("li", "", make("span", "step", `step ${whole(v.step)}`), make("span", "", v.caption || "(no words)"))))));
    $("samples").append(item);
    samples.push(sample);
  }

  function showCaptions(index) {
    const e = sampled[index];
    $("evaluation").value = index;
    $("earlier").disabled = index === 0;
    $("later").disabled = index === sampled.length - 1;
    for (const s of samples) s.heading.replaceChildren(...heading(captionOf(sampled[index - 1], s.file), captionOf(e, s.file)));
    const score = isNumber(e.scores[mainScore]) ? [` · ${mainScore} `, make("b", "", (100 * e.scores[mainScore]).toFixed(1))] : [];
    $("which").replaceChildren(`step ${whole(e.step)}`, isNumber(e.epoch) ? ` · epoch ${e.epoch.toFixed(1)}` : "", e.stage ? ` · ${e.stage}` : "",
      ...score, ...(e === bestEvaluation ? [" · ", make("span", "is-best", "best")] : []),
      index ? " · highlighted: changed since the previous evaluation" : "");
    $("evaluation").setAttribute("aria-valuetext", $("which").textContent);
  }

  function startCaptions() {
    if (!sampled.length) return;
    $("captions").hidden = false;
    [...new Set(sampled.flatMap((e) => e.captions.map((c) => c[0])))].slice(0, 16).forEach(addSample);
    $("evaluation").max = sampled.length - 1;
    const at = sampled.findIndex((e) => e.step === state.evaluation);
    const go = (index) => {
      showCaptions(index);
      keep({ evaluation: index === sampled.length - 1 ? null : sampled[index].step });
    };
    showCaptions(at >= 0 ? at : sampled.length - 1);
    $("evaluation").addEventListener("input", () => go(Number($("evaluation").value)));
    $("earlier").addEventListener("click", () => go(Math.max(0, Number($("evaluation").value) - 1)));
    $("later").addEventListener("click", () => go(Math.min(sampled.length - 1, Number($("evaluation").value) + 1)));
  }

  /* ---- tables ---- */

  function showTable() {
    if (!evaluations.length) return;
    const keys = [...new Set(evaluations.flatMap((e) => Object.keys(e.scores)))];
    const score = (e, key) => (isNumber(e.scores[key]) ? (100 * e.scores[key]).toFixed(1) : "");
    const columns = [
      ["step", (e) => whole(e.step || 0)], ["epoch", (e) => (isNumber(e.epoch) ? e.epoch.toFixed(1) : "")],
      ["stage", (e) => e.stage || ""], ...(sets.length > 1 ? [["set", (e) => e.set || ""]] : []),
      ["loss", (e) => (isNumber(e.loss) ? e.loss.toFixed(3) : "")], ...keys.map((key) => [key, (e) => score(e, key)]),
      ["distinct", (e) => (isNumber(e.distinct) ? percent(e.distinct) : "")],
      ["bad endings", (e) => (isNumber(e.bad_endings) ? percent(e.bad_endings) : "")],
    ].filter(([, value]) => evaluations.some((e) => value(e) !== ""));
    const row = (e) => make("tr", e === bestEvaluation ? "best-row" : "",
      ...columns.map(([name, value]) => make("td", name === "stage" || name === "set" ? "left" : "", value(e))));
    const names = columns.map(([name]) => {
      const cell = make("th", name === "stage" || name === "set" ? "left" : "", name);
      cell.scope = "col";
      return cell;
    });
    $("table").append(make("thead", "", make("tr", "", ...names)), make("tbody", "", ...[...evaluations].reverse().map(row)));
    $("table-section").hidden = false;
  }

  /* ["a", ["b", {c: 1}]] as rows of a name and a text. */
  function flatten(value, name) {
    if (value === null || typeof value !== "object") return [[name, String(value)]];
    if (Array.isArray(value) && value.every((v) => v === null || typeof v !== "object")) return [[name, value.join(" ")]];
    return Object.entries(value).flatMap(([key, v]) => flatten(v, name ? `${name}.${key}` : key));
  }
  const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

  function showSettings() {
    if (!settings || typeof settings !== "object") return;
    const { arguments: words, ...others } = settings;
    if (Array.isArray(words) && words.length) {
      let text = "";
      words.map(String).forEach((word, i) => { text += i && word.startsWith("-") ? ` \\\n    ${quote(word)}` : `${i ? " " : ""}${quote(word)}`; });
      $("settings").append(make("pre", "", text));
    }
    const rows = flatten(others, "");
    for (const s of stages)
      if (isNumber(s.parameters)) rows.push([`parameters${s.name ? `, ${s.name}` : ""}`, whole(s.parameters)]);
    if (rows.length)
      $("settings").append(make("dl", "", ...rows.flatMap(([name, text]) => [make("dt", "", name), make("dd", "", text)])));
    $("settings-section").hidden = !$("settings").childElementCount;
  }

  /* ---- loading again while the run goes on ---- */

  function startReloading() {
    const button = $("reload");
    if (!isRunning) return;
    const show = () => {
      button.textContent = state.reload ? `Reloads every ${RELOAD_SECONDS} s` : "Reload every 30 s";
      button.setAttribute("aria-pressed", String(state.reload));
    };
    button.hidden = false;
    show();
    button.addEventListener("click", () => { keep({ reload: !state.reload }); show(); });
    let age = 0;
    setInterval(() => {
      age++;
      if (age >= RELOAD_SECONDS && state.reload && cursor === null && !document.hidden) location.reload();
    }, 1000);
  }

  showLead();
  showTiles();
  listCharts().forEach(addChart);
  spread(charts.filter((c) => c.wide).map((c) => c.figure), 2);
  spread(charts.filter((c) => !c.wide).map((c) => c.figure), 4);
  $("by-step").addEventListener("click", () => setAxis("step"));
  $("by-time").addEventListener("click", () => setAxis("time"));
  $("by-time").disabled = !hasTime;
  setAxis(axisNow());
  new ResizeObserver(drawAll).observe($("charts"));
  startCaptions();
  showTable();
  showSettings();
  startReloading();
})();
