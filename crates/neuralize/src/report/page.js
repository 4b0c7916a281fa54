"use strict";

(() => {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const { model, features, classes, clusters } = report;

  const ROWS_ON_A_PAGE = 50;
  const MANY_FEATURES = 30;
  const STEPS = 12;
  const PROFILE_FEATURES = 13;
  const SIZES = 12;
  const NARROWEST_PLOT = 100;
  const NARROWEST_SINGLE = 160;
  const GAP = 10;
  const EDGE = 13;
  const COLOURS = 8;
  const SHAPES = [
    d3.symbolCircle,
    d3.symbolSquare,
    d3.symbolTriangle,
    d3.symbolDiamond,
    d3.symbolCross,
    d3.symbolStar,
    d3.symbolWye,
  ];

  // ---------------------------------------------------------------- data

  /** Numbers from base64; "f8:" before it says that they are beyond single precision. */
  function decode(text, Type) {
    const wide = text.startsWith("f8:");
    const binary = atob(wide ? text.slice(3) : text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return new (wide ? Float64Array : Type)(bytes.buffer);
  }

  function once(make) {
    let made;
    return () => (made ??= make());
  }

  /** An object whose typed arrays are decoded when they are first asked for. */
  function arrays(source, types) {
    const decoded = { count: source.count };
    for (const [name, Type] of Object.entries(types)) {
      const get = source[name] === null ? () => null : once(() => decode(source[name], Type));
      Object.defineProperty(decoded, name, { get });
    }
    return decoded;
  }

  const listed = arrays(report.listed, {
    row: Uint32Array,
    cluster: Uint32Array,
    competitor: Uint32Array,
    class: Int32Array,
    misplaced: Uint8Array,
    logit: Float64Array,
    probability: Float32Array,
    x: Float32Array,
    y: Float32Array,
    strongest: Uint32Array,
    strongest_relevance: Float32Array,
    detail: Int32Array,
  });
  const details = arrays(report.details, {
    values: Float64Array,
    scaled: Float32Array,
    relevance: Float64Array,
    versus: Uint32Array,
    contrast: Float32Array,
    contrast_logit: Float64Array,
    absorbed: Float64Array,
    contrast_absorbed: Float64Array,
  });
  const strongestCount = report.listed.strongest_count;
  const everyPoint = d3.range(listed.count);
  const everyFeature = d3.range(features.length);

  const rowOf = (matrix, row) => matrix.subarray(row * features.length, (row + 1) * features.length);
  const isMisplaced = (point) => listed.misplaced !== null && listed.misplaced[point] === 1;

  function pointOfRow(row) {
    const point = d3.bisectLeft(listed.row, row);
    return listed.row[point] === row ? point : null;
  }

  function strongestOf(point) {
    return d3
      .range(point * strongestCount, (point + 1) * strongestCount)
      .map((at) => ({ feature: listed.strongest[at], relevance: listed.strongest_relevance[at] }));
  }

  /** The clusters that the file contrasts a point with; of very many only the nearest. */
  const contrastsOf = (point) => {
    const { contrasts } = report.details;
    const detail = listed.detail[point];
    return detail < 0 ? [] : details.versus.subarray(detail * contrasts, (detail + 1) * contrasts);
  };

  /** What a cluster is called: its label, where clusters come from labels. */
  const clusterName = (cluster) => (report.names === null ? String(cluster) : report.names[cluster]);
  const centroid = report.centroid_based ? "centroid" : "mean of the members";

  /** The parts of a logit that belong to no feature. */
  const partsOf = (amounts, row) =>
    report.absorbed.map((name, at) => ({ name, value: amounts[row * report.absorbed.length + at] }));

  /** The same of a listed point, as far as the file has it in full. */
  function partsInWords(point) {
    const detail = listed.detail[point];
    const shown = detail < 0 ? [] : partsOf(details.absorbed, detail).filter(({ value }) => value !== 0);
    const format = formatFor(relevanceLimit() || 1, "+");
    const words = shown.map(({ name, value }) => `${name} ${format(value)}`).join(", ");
    return words && `of which ${words}`;
  }

  /** What the file says about a point, against all competitors (versus = null) or against one. */
  function explanationOf(point, versus) {
    const detail = listed.detail[point];
    const own = listed.cluster[point];
    const other = versus ?? listed.competitor[point];
    const place = contrastsOf(point).indexOf(other);
    const slot = detail * report.details.contrasts + place;
    return {
      own,
      other,
      values: rowOf(details.values, detail),
      scaled: rowOf(details.scaled, detail),
      sentence: report.details.sentences[detail][place],
      relevance: versus === null ? rowOf(details.relevance, detail) : rowOf(details.contrast, slot),
      parts: partsOf(versus === null ? details.absorbed : details.contrast_absorbed, versus === null ? detail : slot),
      logit: versus === null ? listed.logit[point] : details.contrast_logit[slot],
      limit: (versus === null ? relevanceLimit() : contrastLimit()) || 1,
    };
  }

  function largest(numbers) {
    let most = 0;
    for (const number of numbers) most = Math.max(most, Math.abs(number));
    return most;
  }

  const relevanceLimit = once(() => largest(details.relevance));
  const contrastLimit = once(() => largest(details.contrast));
  const listedLimit = once(() => largest(listed.strongest_relevance));
  const scaledExtent = once(() => {
    const centroids = clusters.flatMap((cluster) => cluster.centroid_scaled);
    const [least, most] = d3.extent(details.scaled);
    return d3.extent([0, least, most, ...centroids]);
  });

  const strongestFirst = (relevance) =>
    d3.sort(everyFeature, (a, b) => d3.descending(Math.abs(relevance[a]), Math.abs(relevance[b])));

  // ---------------------------------------------------------------- words and numbers

  const whole = d3.format(",");
  const small = d3.format(".2~g");
  const percent = d3.format(".1%");

  const count = (number, noun) => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;

  /** A format with about four digits at the given size, so that the numbers of a column align. */
  function formatFor(size, sign = "") {
    const exponent = size > 0 ? Math.floor(Math.log10(size)) : 0;
    if (exponent < -3) return d3.format(`${sign}.3e`);
    if (exponent > 5) return d3.formatPrefix(`${sign},.${3 - (exponent % 3)}`, size);
    return d3.format(`${sign},.${Math.max(0, 3 - exponent)}f`);
  }

  /** A value as a person would write it: whole numbers whole, others with at most six digits. */
  function plain(value) {
    const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
    return text.replace("-", "−");
  }

  const formatLogit = once(() => formatFor(listedLimit()));
  const formatListed = once(() => formatFor(listedLimit(), "+"));

  /** Three digits, and more where a probability would otherwise read as certainty. */
  function formatProbability(probability) {
    return probability < 1 && probability > 0.9995 ? "> 0.999" : probability.toFixed(3);
  }

  const className = (index) => (index === null || index < 0 ? "none" : classes[index]);
  const betaWords =
    model.beta === null ? "nearest competitor alone" : `all competitors (beta ${plain(model.beta)})`;
  const scaleWords = {
    none: "as they are, without scaling",
    minmax: "each scaled to the range 0 to 1",
    standard: "each scaled to mean 0 and standard deviation 1",
  };

  function describe(point) {
    const kind = classes === null ? "" : `, class ${className(listed.class[point])}`;
    return (
      `Point ${listed.row[point]}, cluster ${clusterName(listed.cluster[point])}${kind}` +
      `, probability ${formatProbability(listed.probability[point])}` +
      `, logit ${formatLogit()(listed.logit[point])}`
    );
  }

  const strongestWords = (point) =>
    strongestOf(point)
      .map(({ feature, relevance }) => `${features[feature]} ${formatListed()(relevance)}`)
      .join(", ");

  // ---------------------------------------------------------------- colours and marks

  const colour = (index) => `var(--c${index % COLOURS})`;
  const edge = (paint) => `color-mix(in srgb, ${paint} 75%, var(--ink))`;
  const shape = (cluster) => SHAPES[Math.floor(cluster / COLOURS) % SHAPES.length];

  const standsFor = once(() => new Map(clusters.map(({ cluster, class: stands }) => [stands, cluster])));

  /** The colour of the cluster that stands for the class, so that a misplaced point shows two colours. */
  function outline(point) {
    const own = listed.cluster[point];
    const other = classes === null ? own : standsFor().get(listed.class[point]);
    const hidden = other === undefined || (other !== own && colour(other) === colour(own));
    return hidden ? "var(--ink)" : edge(colour(other));
  }

  /** A small picture of a mark for legends and headings. */
  function swatch(
    host,
    { symbol = d3.symbolCircle, fill = "none", stroke = "none", width = 1.5, size = 64 },
  ) {
    host
      .append("svg")
      .attr("class", "swatch")
      .attr("viewBox", "-8 -8 16 16")
      .attr("aria-hidden", "true")
      .append("path")
      .attr("d", d3.symbol(symbol, size)())
      .style("fill", fill)
      .style("stroke", stroke)
      .style("stroke-width", width);
  }

  const clusterMark = (cluster) => ({
    symbol: shape(cluster),
    fill: colour(cluster),
    stroke: edge(colour(cluster)),
    width: 1,
  });

  // ---------------------------------------------------------------- state

  const state = {
    point: null,
    versus: null,
    filter: { cluster: null, misplaced: false, probability: 1 },
    order: { key: "row", descending: false },
    page: 0,
    allFeatures: false,
    allProfiles: false,
    passing: new Uint8Array(listed.count).fill(1),
    ordered: everyPoint,
  };

  const pointColumns = [
    { key: "row", title: "Row", amount: true, value: (point) => listed.row[point] },
    { key: "cluster", title: "Cluster", amount: true, value: (point) => listed.cluster[point] },
    ...(classes === null
      ? []
      : [
          {
            key: "class",
            title: "Class",
            value: (point) => listed.class[point],
            text: (point) => className(listed.class[point]) + (isMisplaced(point) ? " ≠" : ""),
          },
        ]),
    {
      // Probability grows with the logit, which still tells points apart where it is 1 in every digit.
      key: "probability",
      title: "Probability",
      amount: true,
      value: (point) => listed.logit[point],
      text: (point) => formatProbability(listed.probability[point]),
    },
    {
      key: "logit",
      title: "Logit",
      amount: true,
      value: (point) => listed.logit[point],
      text: (point) => formatLogit()(listed.logit[point]),
    },
    {
      key: "competitor",
      title: "Nearest competitor",
      amount: true,
      value: (point) => listed.competitor[point],
    },
    {
      key: "strongest",
      title: "Strongest features",
      kind: "features",
      value: (point) => Math.abs(listed.strongest_relevance[point * strongestCount]),
      text: strongestWords,
    },
  ];

  function passes(point) {
    const { cluster, misplaced, probability } = state.filter;
    return (
      (cluster === null || listed.cluster[point] === cluster) &&
      (!misplaced || isMisplaced(point)) &&
      (probability >= 1 || listed.probability[point] <= probability)
    );
  }

  function select() {
    for (const point of everyPoint) state.passing[point] = passes(point);
    const { value } = pointColumns.find((column) => column.key === state.order.key);
    const compare = state.order.descending ? d3.descending : d3.ascending;
    const keys = everyPoint.map(value);
    state.ordered = everyPoint
      .filter((point) => state.passing[point])
      .sort((a, b) => compare(keys[a], keys[b]) || a - b);
    state.page = 0;
  }

  function orderBy(key, descending) {
    state.order = { key, descending };
    select();
    showSelection();
  }

  function showSelection() {
    showControls();
    map.showSelection();
    showTable();
    showSteps();
  }

  // ---------------------------------------------------------------- address: which point is open

  const addressOf = (point, versus) =>
    `#point=${listed.row[point]}${versus === null ? "" : `&versus=${versus}`}`;

  /** Opens a point through the address, so that it can be passed on and the back button leads here. */
  function visit(point, { versus = null, replace = false, focus = "panel" } = {}) {
    const address = addressOf(point, versus);
    if (replace) location.replace(address);
    else location.hash = address;
    follow(focus);
  }

  let followed = null;

  function follow(focus) {
    followed = location.hash;
    const asked = /^#point=(\d+)(?:&versus=(\d+))?$/.exec(location.hash);
    if (asked === null) {
      if (location.hash === "" || state.point === null) showFirst();
      return;
    }
    const row = Number(asked[1]);
    const point = pointOfRow(row);
    if (point === null) {
      sayUnknown(row);
      if (state.point === null) showFirst();
      return;
    }
    d3.select("#find-message").text("");
    d3.select("#point-origin").text("");
    show(point, asked[2] === undefined ? null : Number(asked[2]));
    arrive(focus);
  }

  function showFirst() {
    show(firstPoint(), null);
    d3.select("#point-origin").text("The most ambiguous point, shown until you choose another.");
  }

  function show(point, versus) {
    const asked = isOther(point, versus) ? versus : null;
    if (point === null || (state.point === point && state.versus === asked)) return;
    state.point = point;
    state.versus = asked;
    showPoint();
    map.showPoint();
    markOpenRow();
    showSteps();
    d3.select("#announcement").text(describe(point));
  }

  const isOther = (point, versus) => versus !== null && contrastsOf(point).includes(versus);

  /** Without a point in the address the page opens the one whose assignment is closest to a tie. */
  function firstPoint() {
    const candidates = everyPoint.filter((point) => listed.detail[point] >= 0);
    return d3.least(candidates.length > 0 ? candidates : everyPoint, (point) => listed.logit[point]) ?? null;
  }

  function arrive(focus) {
    const panel = document.getElementById("point");
    const heading = document.getElementById("point-heading");
    const { top, bottom } = heading.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) panel.scrollIntoView({ block: "start" });
    if (focus === "panel") heading.focus({ preventScroll: true });
  }

  function step(by, options) {
    const at = state.ordered.indexOf(state.point);
    const next = state.ordered[at < 0 && by < 0 ? state.ordered.length - 1 : at + by];
    if (next === undefined) return;
    visit(next, { versus: isOther(next, state.versus) ? state.versus : null, focus: "stay", ...options });
  }

  let walked = null;

  /** A walk by arrow keys is one entry of the history, not fifty. */
  function walk(by) {
    step(by, { replace: location.hash === walked });
    walked = location.hash;
  }

  // ---------------------------------------------------------------- head of the page

  function showFact(host, title, text, note) {
    const fact = d3.select(host).append("div");
    fact.append("dt").text(title);
    const description = fact.append("dd").text(text);
    if (note) description.append("small").text(` ${note}`);
    return description;
  }

  function showHead() {
    d3.select("#lead").text(
      `${count(report.total, "point")} of ${report.title} in ${clusters.length} clusters by ` +
        `${model.kind} on ${count(features.length, "feature")}, ${scaleWords[model.scale]}. For every point, ` +
        "this page says which features put it into its cluster rather than into another: relevances above zero " +
        "speak for the cluster, those below zero against it, and together they make the logit" +
        (report.absorbed.length === 0 ? "" : ` with ${report.absorbed.join(" and ")}, which no feature has`) +
        ", the margin by " +
        "which the point belongs there.",
    );
    showModelFacts();
    showCoverage();
    d3.select("#generator").text(`Written by ${report.generator}.`);
  }

  function showModelFacts() {
    const facts = "#facts";
    const heuristic = model.heuristic_beta === null ? "" : `heuristic: ${plain(model.heuristic_beta)}`;
    showFact(facts, "Beta", model.beta === null ? "infinite" : plain(model.beta), heuristic);
    if (model.rows !== null) showFact(facts, "Rows of the fit", whole(model.rows));
    const sizes = clusters.map(({ points }) => whole(points));
    const more = sizes.length > SIZES ? ` and ${sizes.length - SIZES} more` : "";
    showFact(facts, "Sizes of the clusters", sizes.slice(0, SIZES).join(", ") + more);
    if (model.inertia !== null) showFact(facts, "Inertia", plain(model.inertia));
    if (model.agreement !== null) showFact(facts, "Given back by the network", `${(100 * model.agreement).toFixed(1)} %`);
    if (model.iterations !== null) {
      const end = { true: "converged", false: "not converged" }[model.converged];
      showFact(facts, "Iterations", whole(model.iterations), end);
    }
    if (model.seed !== null) showFact(facts, "Seed", String(model.seed));
    if (report.agreeing !== null) {
      showFact(
        facts,
        `Cluster stands for its ${report.label ?? "class"}`,
        `${whole(report.agreeing)} of ${whole(report.total)}`,
        percent(report.agreeing / report.total),
      );
    }
  }

  function showCoverage() {
    const full = details.count;
    const brief = listed.count - full;
    const counted = report.total - listed.count;
    if (brief === 0 && counted === 0) return;
    const parts = [`${whole(full)} are in this file in full`];
    if (brief > 0) parts.push(`${whole(brief)} are listed without details`);
    if (counted > 0) parts.push(`${whole(counted)} are counted in the figures of the clusters only`);
    d3.select("#coverage")
      .attr("hidden", null)
      .text(`Of ${count(report.total, "point")}, ${parts.join("; ")}.`);
  }

  function showTrust() {
    const { trust } = report;
    const words =
      trust === null ? ["The relevances of this report were not checked when it was written."] : trust.words;
    d3.select("#trust-words")
      .selectAll("li")
      .data(words)
      .join("li")
      .text((sentence) => sentence);
    if (trust === null) return;
    d3.select("#trust-figures").text(
      [
        `${count(trust.points, "point")} in ${trust.precision}`,
        `conservation: at most ${small(trust.conservation_max)}, on average ${small(trust.conservation_mean)}`,
        ...(report.absorbed.length === 0 ? [] : [`absorbed by biases: ${small(trust.absorbed_mean)} on average`]),
        ...(trust.shift_max === null ? [] : [`shift by ${plain(trust.shift)}: at most ${small(trust.shift_max)}`]),
        ...(trust.autodiff_max === null
          ? []
          : [
              `autodiff: at most ${small(trust.autodiff_max)}`,
              `ties: ${whole(trust.ties)}`,
              `gradient × input: ${small(trust.gradient_times_input_mean)} on average`,
            ]),
      ].join(" · "),
    );
  }

  // ---------------------------------------------------------------- find and filter

  function prepareControls() {
    d3.select("#filter-cluster")
      .selectAll("option")
      .data([null, ...clusters])
      .join("option")
      .attr("value", (cluster) => (cluster === null ? "" : cluster.cluster))
      .text((cluster) => (cluster === null ? "all" : `cluster ${clusterName(cluster.cluster)}`));
    d3.select("#misplaced-field").attr("hidden", listed.misplaced === null ? "" : null);
    d3.select("#filter").on("submit", openFound);
    d3.select("#filter-cluster").on("change", (event) => {
      const { value } = event.target;
      filterBy({ cluster: value === "" ? null : Number(value) });
    });
    d3.select("#filter-misplaced").on("change", (event) => filterBy({ misplaced: event.target.checked }));
    d3.select("#filter-probability").on("input", (event) =>
      filterBy({ probability: Number(event.target.value) }),
    );
    d3.select("#ambiguous-first").on("change", (event) =>
      orderBy(event.target.checked ? "probability" : "row", false),
    );
    d3.select("#clear").on("click", clearControls);
  }

  function filterBy(change) {
    Object.assign(state.filter, change);
    select();
    showSelection();
  }

  function clearControls() {
    document.getElementById("find").value = "";
    d3.select("#find-message").text("");
    state.order = { key: "row", descending: false };
    filterBy({ cluster: null, misplaced: false, probability: 1 });
  }

  function showControls() {
    const { cluster, misplaced, probability } = state.filter;
    d3.select("#filter-cluster").property("value", cluster ?? "");
    d3.select("#filter-misplaced").property("checked", misplaced);
    d3.select("#filter-probability").property("value", probability);
    d3.select("#probability-limit").text(probability.toFixed(2));
    d3.select("#ambiguous-first").property(
      "checked",
      state.order.key === "probability" && !state.order.descending,
    );
    d3.select("#count").text(`${whole(state.ordered.length)} of ${count(listed.count, "point")} shown`);
  }

  function openFound(event) {
    event.preventDefault();
    const text = document.getElementById("find").value.trim();
    const row = /^\d+$/.test(text) ? Number(text) : null;
    const point = row === null ? null : pointOfRow(row);
    if (point === null) return sayUnknown(row);
    visit(point);
  }

  function sayUnknown(row) {
    d3.select("#find-message").text(unknownWords(row));
  }

  function unknownWords(row) {
    const [first, last] = report.rows;
    const withoutGaps = last - first + 1 === report.total;
    const rows = withoutGaps
      ? `the data have rows ${first} to ${last}`
      : `the report is on ${count(report.total, "row")} between ${first} and ${last}`;
    if (row === null) return `Type the number of a row: ${rows}.`;
    if (row < first || row > last) return `There is no row ${row}: ${rows}.`;
    if (!withoutGaps) return `Row ${row} is not listed in this file: ${rows}.`;
    return `Row ${row} is counted in the figures of the clusters, but not listed in this file.`;
  }

  // ---------------------------------------------------------------- map

  const map = (() => {
    const margin = { top: 8, right: 8, bottom: 38, left: 46 };
    const crowded = listed.count > 800;
    const radius = listed.count > 3000 ? 2.6 : listed.count > 800 ? 3.4 : 4.6;
    const host = document.getElementById("map-plot");
    const svg = d3.select(host).append("svg").attr("role", "group").attr("aria-labelledby", "map-heading");
    const clip = svg.append("clipPath").attr("id", "map-clip").append("rect");
    const xAxis = svg.append("g").attr("class", "axis");
    const yAxis = svg.append("g").attr("class", "axis");
    const xTitle = svg.append("text").attr("class", "hint").attr("text-anchor", "middle");
    const yTitle = svg.append("text").attr("class", "hint").attr("text-anchor", "middle");
    const frame = svg.append("rect").attr("class", "frame");
    const inner = svg.append("g").attr("clip-path", "url(#map-clip)").append("g");
    const pointLayer = inner.append("g");
    const ringLayer = inner.append("g");
    const centroidLayer = inner.append("g");
    const selectedMark = inner.append("g").attr("class", "selected");
    const cursorMark = inner
      .append("circle")
      .attr("class", "cursor")
      .attr("r", radius + 4)
      .attr("visibility", "hidden");
    const zoom = d3.zoom().scaleExtent([1, 60]).clickDistance(4).filter(mayZoom).on("zoom", moved);

    let x = d3.scaleLinear();
    let y = d3.scaleLinear();
    let transform = d3.zoomIdentity;
    let size = { width: 0, height: 0 };
    let near = d3.quadtree();
    let cursor = null;

    /** The page keeps its wheel and its one-finger scrolling; the map takes over with Ctrl or once enlarged. */
    function mayZoom(event) {
      if (event.type === "wheel") return event.ctrlKey || event.metaKey;
      if (event.touches) return event.touches.length > 1 || transform.k > 1;
      return event.button === 0;
    }

    const placeOf = (point) => [x(listed.x[point]), y(listed.y[point])];
    const fixed = ([left, top]) => `translate(${left},${top}) scale(${1 / transform.k})`;

    function draw() {
      const misplacedLast = d3.sort(everyPoint, isMisplaced);
      pointLayer
        .style("--outline", classes === null ? 0.8 : radius * 0.45)
        .selectAll(".point")
        .data(misplacedLast)
        .join((enter) => enter.append((point) => document.createElementNS(d3.namespaces.svg, markOf(point))))
        .attr("class", "point")
        .attr("data-row", (point) => listed.row[point])
        .style("fill", (point) => colour(listed.cluster[point]))
        .style("stroke", outline)
        .each(function (point) {
          if (this.tagName === "circle") this.setAttribute("r", radius);
          else this.setAttribute("d", d3.symbol(shape(listed.cluster[point]), Math.PI * radius ** 2)());
        });
      ringLayer
        .selectAll("circle")
        .data(everyPoint.filter(isMisplaced))
        .join("circle")
        .attr("class", "ring")
        .attr("r", radius + (crowded ? 1.8 : 4))
        .style("stroke-width", crowded ? 0.6 : 1.1);
      drawCentroids();
      selectedMark
        .selectAll("circle")
        .data(["halo", "line"])
        .join("circle")
        .attr("class", String)
        .attr("r", radius + 6);
    }

    const markOf = (point) => (shape(listed.cluster[point]) === d3.symbolCircle ? "circle" : "path");

    function drawCentroids() {
      const marks = centroidLayer
        .selectAll("g")
        .data(report.plane.centroids)
        .join("g")
        .attr("class", "centroid");
      marks
        .selectAll("path")
        .data(["halo", "line"])
        .join("path")
        .attr("class", String)
        .attr("d", "M-6,-6L6,6M-6,6L6,-6");
      marks
        .append("text")
        .attr("x", 9)
        .attr("y", -6)
        .text((_, cluster) => cluster);
    }

    /** Both axes have one unit of length: distances on the map are distances. */
    function resize() {
      const width = host.clientWidth;
      if (width === 0) return;
      const height = Math.min(width * 0.92, 620);
      size = { width, height };
      const box = {
        left: margin.left,
        top: margin.top,
        width: width - margin.left - margin.right,
        height: height - margin.top - margin.bottom,
      };
      svg.attr("viewBox", `0 0 ${width} ${height}`);
      for (const rect of [clip, frame]) {
        rect.attr("x", box.left).attr("y", box.top).attr("width", box.width).attr("height", box.height);
      }
      setScales(box);
      xAxis.attr("transform", `translate(0,${box.top + box.height})`);
      yAxis.attr("transform", `translate(${box.left},0)`);
      const titleOf = (axis) =>
        `PC ${axis + 1} (${d3.format(".0%")(report.plane.explained[axis]).replace("%", " %")} of the variance)`;
      xTitle
        .attr("x", box.left + box.width / 2)
        .attr("y", height - 4)
        .text(titleOf(0));
      yTitle.attr("transform", `translate(11,${box.top + box.height / 2}) rotate(-90)`).text(titleOf(1));
      zoom.extent([
        [box.left, box.top],
        [box.left + box.width, box.top + box.height],
      ]);
      zoom.translateExtent([
        [box.left - 60, box.top - 60],
        [width + 60, height + 60],
      ]);
      place();
      showFiltered();
    }

    function setScales(box) {
      const [left, right] = extentOf(listed.x, 0);
      const [low, high] = extentOf(listed.y, 1);
      const room = 22;
      const unit = Math.min(
        (box.width - 2 * room) / (right - left || 1),
        (box.height - 2 * room) / (high - low || 1),
      );
      const halfWidth = box.width / unit / 2;
      const halfHeight = box.height / unit / 2;
      const [xMiddle, yMiddle] = [(left + right) / 2, (low + high) / 2];
      x = d3.scaleLinear([xMiddle - halfWidth, xMiddle + halfWidth], [box.left, box.left + box.width]);
      y = d3.scaleLinear([yMiddle - halfHeight, yMiddle + halfHeight], [box.top + box.height, box.top]);
    }

    const extentOf = (coordinates, axis) =>
      d3.extent([...d3.extent(coordinates), ...report.plane.centroids.map((centroid) => centroid[axis])]);

    function moved(event) {
      const scaled = event.transform.k !== transform.k;
      transform = event.transform;
      place(scaled);
    }

    /** Dragging moves one group; only a change of scale touches every mark, to keep its size. */
    function place(all = true) {
      inner.attr("transform", transform);
      svg.classed("zoomed", transform.k > 1);
      xAxis.call(d3.axisBottom(transform.rescaleX(x)).ticks(5).tickSizeOuter(0));
      yAxis.call(d3.axisLeft(transform.rescaleY(y)).ticks(5).tickSizeOuter(0));
      if (all) placeMarks();
      hideTip();
    }

    function placeMarks() {
      const move = (point) => fixed(placeOf(point));
      pointLayer.selectAll(".point").attr("transform", move);
      ringLayer.selectAll("circle").attr("transform", move);
      centroidLayer.selectAll("g").attr("transform", ([left, top]) => fixed([x(left), y(top)]));
      if (state.point !== null) selectedMark.attr("transform", move(state.point));
      if (cursor !== null) cursorMark.attr("transform", move(cursor));
    }

    function showFiltered() {
      const faded = (point) => state.passing[point] === 0;
      pointLayer.selectAll(".point").classed("faded", faded);
      ringLayer.selectAll("circle").classed("faded", faded);
      near = d3.quadtree(
        state.ordered,
        (point) => x(listed.x[point]),
        (point) => y(listed.y[point]),
      );
      rove();
    }

    function showOpened() {
      selectedMark.attr("visibility", state.point === null ? "hidden" : null);
      if (state.point !== null) selectedMark.attr("transform", fixed(placeOf(state.point)));
      rove();
    }

    const elementOf = (point) =>
      d3.select(pointLayer.node().querySelector(`[data-row="${listed.row[point]}"]`));

    /** One point at a time is a tab stop: the open one, or the first that passes the filter. */
    function rove() {
      const hadFocus = pointLayer.node().contains(document.activeElement);
      pointLayer.selectAll("[tabindex]").attr("tabindex", null).attr("role", null).attr("aria-label", null);
      const stop = state.point !== null && state.passing[state.point] ? state.point : state.ordered[0];
      if (stop === undefined) return;
      const element = elementOf(stop)
        .attr("tabindex", 0)
        .attr("role", "button")
        .attr("aria-label", describe(stop));
      if (hadFocus) element.node().focus({ preventScroll: true });
    }

    function nearest(event) {
      const [left, top] = transform.invert(d3.pointer(event, svg.node()));
      return near.find(left, top, (radius + (event.pointerType === "touch" ? 16 : 8)) / transform.k) ?? null;
    }

    function hover(event) {
      const point = nearest(event);
      svg.classed("over", point !== null);
      if (point === null) hideTip();
      else showTip(point);
    }

    function showTip(point) {
      cursor = point;
      const tip = d3.select("#tip").attr("hidden", null);
      tip.selectAll("*").remove();
      tip.append("strong").text(`Point ${listed.row[point]}`);
      const kind = classes === null ? "" : `, class ${className(listed.class[point])}`;
      tip
        .append("span")
        .text(`cluster ${clusterName(listed.cluster[point])}${kind}${isMisplaced(point) ? ": misclassified" : ""}`);
      tip
        .append("span")
        .text(
          `probability ${formatProbability(listed.probability[point])} against cluster ` +
            `${clusterName(listed.competitor[point])}, logit ${formatLogit()(listed.logit[point])}`,
        );
      strongestOf(point).forEach(({ feature, relevance }) =>
        tip.append("span").text(`${formatListed()(relevance)} ${features[feature]}`),
      );
      cursorMark.attr("visibility", null).attr("transform", fixed(placeOf(point)));
      placeTip(tip.node(), transform.apply(placeOf(point)));
    }

    function placeTip(tip, [left, top]) {
      const scale = host.clientWidth / size.width;
      const { offsetWidth: width, offsetHeight: height } = tip;
      const beside =
        left * scale + 16 + width <= host.clientWidth ? left * scale + 16 : left * scale - 16 - width;
      const below = Math.min(top * scale - 10, host.clientHeight - height);
      tip.style.left = `${Math.max(0, Math.min(beside, host.clientWidth - width))}px`;
      tip.style.top = `${Math.max(0, below)}px`;
    }

    function hideTip() {
      cursor = null;
      d3.select("#tip").attr("hidden", "");
      cursorMark.attr("visibility", "hidden");
    }

    function pressed(event) {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (by !== undefined) {
        event.preventDefault();
        walk(by);
        showTip(state.point);
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        visit(d3.select(event.target).datum());
      } else if (event.key === "Escape") {
        hideTip();
      }
    }

    function focused(event) {
      if (event.target.matches(".point:focus-visible")) showTip(d3.select(event.target).datum());
    }

    function zoomBy(change) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      change(still ? svg : svg.transition().duration(250));
    }

    function listen() {
      svg.call(zoom).on("dblclick.zoom", null);
      svg.on("pointermove", hover).on("pointerleave", hideTip);
      svg.on("click", (event) => {
        const point = nearest(event);
        if (point !== null) visit(point, { focus: "stay" });
      });
      // On the host, because a group of an SVG that listens to the focus becomes a tab stop itself.
      d3.select(host).on("keydown", pressed).on("focusin", focused).on("focusout", hideTip);
      d3.select("#zoom-in").on("click", () => zoomBy((target) => zoom.scaleBy(target, 1.6)));
      d3.select("#zoom-out").on("click", () => zoomBy((target) => zoom.scaleBy(target, 1 / 1.6)));
      d3.select("#zoom-reset").on("click", () => zoomBy((target) => zoom.transform(target, d3.zoomIdentity)));
    }

    function showLegend() {
      const legend = d3.select("#legend");
      const entry = (mark, words) => {
        const item = legend.append("li");
        swatch(item, mark);
        item.append("span").text(words);
      };
      clusters.forEach(({ cluster, class: stands }) =>
        entry(
          clusterMark(cluster),
          `cluster ${clusterName(cluster)}${stands === null ? "" : ` (class ${className(stands)})`}`,
        ),
      );
      if (classes !== null) {
        if (classes.some((_, index) => !standsFor().has(index))) {
          entry({ stroke: "var(--ink)", width: 3 }, "a class that no cluster stands for");
        }
        entry({ stroke: "var(--ink)", width: 1.1, size: 130 }, "misclassified");
      }
      entry({ symbol: d3.symbolTimes, stroke: "var(--ink)", width: 2 }, `${centroid} of a cluster`);
      d3.select("#map-note").text(
        classes === null
          ? ""
          : "Fill: cluster. Outline: the cluster that stands for the class, in ink where that has the same colour.",
      );
    }

    return { draw, listen, resize, showLegend, showSelection: showFiltered, showPoint: showOpened };
  })();

  // ---------------------------------------------------------------- charts: one row a feature

  const measure = once(() => {
    const context = document.createElement("canvas").getContext("2d");
    context.font = `13px ${getComputedStyle(document.body).fontFamily}`;
    return (text) => context.measureText(text).width;
  });
  const widest = (texts) => Math.ceil(d3.max(texts, measure()) ?? 0);

  function shorten(text, width) {
    if (measure()(text) <= width) return text;
    const characters = Array.from(text);
    const fitting = d3
      .bisector((length) => measure()(`${characters.slice(0, length).join("")}…`))
      .left(d3.range(characters.length), width);
    return `${characters
      .slice(0, Math.max(1, fitting - 1))
      .join("")
      .trimEnd()}…`;
  }

  /**
   * Where the columns of a chart lie: the name, numbers, and plots, which share the room that is left.
   * Where much of a name would have to be cut, names have lines of their own above the others.
   */
  function arrange({ rows, columns }, width) {
    const numbers = new Map(
      columns
        .filter((column) => column.text)
        .map((column) => [column, widest([column.title ?? "", ...rows.map(column.text)])]),
    );
    const plots = columns.filter((column) => column.draw).length;
    const besideName = width - d3.sum(numbers.values()) - GAP * (columns.length - 1);
    const spare = besideName - GAP - (plots === 1 ? NARROWEST_SINGLE : plots * NARROWEST_PLOT);
    const longest = widest(rows.map((row) => row.name)) + 2;
    const room = Math.min(spare, width * 0.45);
    const stacked = longest > room * 1.3;
    const nameWidth = stacked ? width : Math.min(longest, room);
    const plotWidth = Math.max(30, (besideName - (stacked ? 0 : nameWidth + GAP)) / plots);
    let left = stacked ? 0 : nameWidth + GAP;
    const places = columns.map((column) => {
      const place = { left, width: numbers.get(column) ?? plotWidth };
      left += place.width + GAP;
      return place;
    });
    return { stacked, nameWidth, places, rowHeight: stacked ? 42 : 23 };
  }

  /** Draws rows = [{ name, … }]; a column either writes a text or draws bars on a scale of its own. */
  function drawChart(host, chart) {
    const width = host.clientWidth;
    if (width === 0) return;
    const layout = arrange(chart, width);
    const top = chart.columns.some((column) => column.title || column.sides) ? 20 : 4;
    const bottom = top + chart.rows.length * layout.rowHeight;
    const svg = d3
      .select(host)
      .selectAll("svg")
      .data([chart])
      .join("svg")
      .attr("viewBox", `0 0 ${width} ${bottom + 24}`)
      .attr("role", "img")
      .attr("aria-label", chart.label);
    svg.selectAll("*").remove();
    const backs = svg.append("g");
    const rows = svg
      .selectAll(".row")
      .data(chart.rows)
      .join("g")
      .attr("class", "row")
      .attr("transform", (_, at) => `translate(0,${top + at * layout.rowHeight})`);
    drawNames(rows, layout);
    chart.columns.forEach((column, at) => {
      const place = layout.places[at];
      const middle = layout.rowHeight - 12;
      if (column.text) drawNumbers(svg, rows, column, place, middle);
      else drawPlot(svg, backs, rows, column, { ...place, top, bottom, middle, rowHeight: layout.rowHeight });
    });
  }

  function drawNames(rows, { stacked, nameWidth }) {
    rows
      .append("text")
      .attr("class", (row) => (row.sum ? "name sum" : "name"))
      .attr("y", stacked ? 17 : 15.5)
      .text((row) => shorten(row.name, nameWidth))
      .append("title")
      .text((row) => row.name);
  }

  function drawNumbers(svg, rows, column, { left, width }, middle) {
    if (column.title)
      svg
        .append("text")
        .attr("class", "hint number")
        .attr("x", left + width)
        .attr("y", 11)
        .text(column.title);
    rows
      .append("text")
      .attr("class", (row) => `number ${column.kind} ${row.sum ? "sum" : ""}`)
      .attr("x", left + width)
      .attr("y", middle + 4.5)
      .text(column.text);
  }

  function drawPlot(svg, backs, rows, column, { left, width, top, bottom, middle, rowHeight }) {
    const x = d3.scaleLinear(column.domain, [left + EDGE, left + width - EDGE]);
    const size = largest(column.domain);
    const format = size >= 1e4 || size < 1e-3 ? d3.format("~s") : x.tickFormat(6);
    const axis = d3.axisBottom(x).tickValues(ticksApart(x, format)).tickFormat(format).tickSizeOuter(0);
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${bottom})`).call(axis);
    backs
      .append("g")
      .attr("class", "grid")
      .attr("transform", `translate(0,${top})`)
      .call(axis.tickSize(bottom - top));
    backs
      .append("line")
      .attr("class", "zero")
      .attr("x1", x(0))
      .attr("x2", x(0))
      .attr("y1", top)
      .attr("y2", bottom);
    if (column.heading)
      svg
        .append("text")
        .attr("class", "hint")
        .attr("x", left + EDGE)
        .attr("y", 11)
        .text(column.heading);
    if (column.sides) {
      const [against, plus] = width < 130 ? ["−", "+"] : ["− against", "+ for"];
      svg
        .append("text")
        .attr("class", "hint number")
        .attr("x", x(0) - 6)
        .attr("y", 11)
        .text(against);
      svg
        .append("text")
        .attr("class", "hint")
        .attr("x", x(0) + 6)
        .attr("y", 11)
        .text(plus);
    }
    column.draw(rows, x, middle, rowHeight);
  }

  /** As many ticks as have room beside each other, zero among them. */
  function ticksApart(x, format) {
    const ticks = x.ticks(6);
    const zero = Math.max(0, ticks.indexOf(0));
    const strides = d3
      .range(1, ticks.length + 1)
      .map((stride) => ticks.filter((_, at) => (at - zero) % stride === 0));
    return strides.find((some) => some.length < 2 || x(some[1]) - x(some[0]) > widest(some.map(format)) + 4);
  }

  /** A bar from one value to another; the exact number stays with it. */
  function drawBars(rows, x, middle, { kind, from = () => 0, to, value = to }) {
    return rows
      .append("rect")
      .attr("class", (row) => `bar ${kind(row)}`)
      .attr("x", (row) => Math.min(x(from(row)), x(to(row))))
      .attr("width", (row) => Math.abs(x(to(row)) - x(from(row))))
      .attr("y", middle - 7)
      .attr("height", 14)
      .attr("data-feature", (row) => row.name)
      .attr("data-value", value);
  }

  /** What a chart says to those who hear it. */
  const spoken = (rows, text) => rows.map((row) => `${row.name} ${text(row)}`).join(", ");

  const side = (number) => (number < 0 ? "against" : "for");

  const charts = new Map();
  const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => charts.get(target)()));

  /** Draws now, and again whenever the host is seen at another width; a hidden one has none. */
  function keepDrawn(host, draw) {
    let width = host.clientWidth;
    charts.set(host, () => {
      if (host.clientWidth === width || host.clientWidth === 0) return;
      width = host.clientWidth;
      draw();
    });
    draw();
    resized.observe(host);
  }

  // ---------------------------------------------------------------- the open point

  function showPoint() {
    const { point } = state;
    const full = listed.detail[point] >= 0;
    d3.select("#point-heading").text(`Point ${listed.row[point]}`);
    showPointFacts(point);
    d3.select("#point-full").attr("hidden", full ? null : "");
    d3.select("#point-brief").attr("hidden", full ? "" : null);
    d3.select("#sentence").text(full ? explanationOf(point, state.versus).sentence : "");
    if (full) showFull();
    else showBrief();
  }

  function showPointFacts(point) {
    d3.select("#point-facts").selectAll("*").remove();
    const own = listed.cluster[point];
    const cluster = showFact("#point-facts", "Cluster", "");
    swatch(cluster, clusterMark(own));
    const stands = clusters[own].class;
    cluster.append("span").text(` ${own}`);
    if (stands !== null) cluster.append("small").text(` stands for class ${className(stands)}`);
    if (classes !== null) {
      showFact(
        "#point-facts",
        report.label === null ? "Class" : `Class (${report.label})`,
        className(listed.class[point]),
        isMisplaced(point) ? "misclassified" : "",
      );
    }
    showFact(
      "#point-facts",
      "Probability",
      formatProbability(listed.probability[point]),
      `against cluster ${clusterName(listed.competitor[point])}`,
    );
    showFact("#point-facts", "Logit", formatLogit()(listed.logit[point]), partsInWords(point));
  }

  function showFull() {
    showQuestions();
    showBars();
    showNumbers();
    keepDrawn(document.getElementById("waterfall"), drawWaterfall);
  }

  function showQuestions() {
    const questions = [null, ...contrastsOf(state.point)];
    d3.select("#question")
      .selectAll("option")
      .data(questions)
      .join("option")
      .attr("value", (other) => other ?? "")
      .property("selected", (other) => other === state.versus)
      .text((other) => (other === null ? betaWords : `rather than cluster ${clusterName(other)}`));
    const others = clusters.length - 1;
    const left = others - report.details.contrasts;
    d3.select("#question-note").text(left > 0 ? `(the ${others - left} nearest of ${others} other clusters)` : "");
  }

  function shownFeatures(relevance) {
    const strongest = strongestFirst(relevance);
    const shown = state.allFeatures ? strongest : strongest.slice(0, MANY_FEATURES);
    return document.getElementById("feature-order").value === "data" ? d3.sort(shown) : shown;
  }

  function showBars() {
    const { own, other } = explanationOf(state.point, state.versus);
    showCentroids(own, other);
    showMore("#bars-more", "#all-features", MANY_FEATURES, state.allFeatures);
    keepDrawn(document.getElementById("bars"), drawBarPanels);
  }

  function showMore(line, button, limit, all) {
    d3.select(line).attr("hidden", features.length > limit ? null : "");
    d3.select(`${line} span`).text(
      all ? `All ${features.length} features.` : `The ${limit} strongest of ${features.length} features.`,
    );
    d3.select(button).text(all ? `Show the strongest ${limit}` : `Show all ${features.length}`);
  }

  function showCentroids(own, other) {
    const key = d3.select("#centroids");
    key.selectAll("*").remove();
    for (const [mark, words] of [
      [ownCentroid(own), `${centroid} of cluster ${clusterName(own)}, its own`],
      [otherCentroid(other), `${centroid} of cluster ${clusterName(other)}`],
    ]) {
      const entry = key.append("span");
      swatch(entry, { ...mark, size: 50 });
      entry.append("span").text(` ${words}`);
    }
  }

  const ownCentroid = (cluster) => ({ fill: colour(cluster), stroke: "var(--ink)", width: 1.2 });
  const otherCentroid = (cluster) => ({ fill: "var(--surface)", stroke: edge(colour(cluster)), width: 2.2 });

  function drawBarPanels() {
    const { own, other, values, scaled, relevance, limit } = explanationOf(state.point, state.versus);
    const shownLimit =
      document.getElementById("relevance-scale").value === "point" ? largest(relevance) || 1 : limit;
    const format = formatFor(limit, "+");
    const rows = shownFeatures(relevance).map((feature) => ({
      name: features[feature],
      feature,
      value: values[feature],
      scaled: scaled[feature],
      relevance: relevance[feature],
    }));
    const valuePanel = {
      heading: model.scale === "none" ? "" : "scaled value",
      domain: widened(scaledExtent()),
      draw: (group, x, middle) => {
        drawBars(group, x, middle, {
          kind: () => "value",
          to: (row) => row.scaled,
          value: (row) => row.value,
        });
        drawCentroid(group, x, middle, clusters[other], otherCentroid(other));
        drawCentroid(group, x, middle, clusters[own], ownCentroid(own));
      },
    };
    const relevancePanel = {
      sides: true,
      domain: [-shownLimit, shownLimit],
      draw: (group, x, middle) =>
        drawBars(group, x, middle, {
          kind: (row) => `relevance ${side(row.relevance)}`,
          to: (row) => row.relevance,
        }),
    };
    drawChart(document.getElementById("bars"), {
      label:
        `Relevances of point ${listed.row[state.point]}, which sum to ${format(d3.sum(relevance))}: ` +
        spoken(rows, (row) => format(row.relevance)),
      rows,
      columns: [
        valuePanel,
        { title: "value", kind: "plain", text: (row) => plain(row.value) },
        relevancePanel,
        { kind: "relevance", text: (row) => format(row.relevance) },
      ],
    });
  }

  const widened = ([least, most]) => (least === most ? [least, most + 1] : [least, most]);

  function drawCentroid(rows, x, middle, cluster, { fill, stroke, width }) {
    rows
      .append("circle")
      .attr("class", "centroid-dot")
      .attr("r", 3.6)
      .attr("cy", middle)
      .attr("cx", (row) => x(cluster.centroid_scaled[row.feature]))
      .style("fill", fill)
      .style("stroke", stroke)
      .style("stroke-width", width)
      .append("title")
      .text((row) => `${centroid} of cluster ${clusterName(cluster.cluster)}: ${plain(cluster.centroid[row.feature])}`);
  }

  /** The strongest features one after another, the rest as one, what no feature has, each from where the one before ended. */
  function waterfallSteps(relevance, parts) {
    const strongest = strongestFirst(relevance);
    const single = features.length > STEPS + 1 ? STEPS : features.length;
    const steps = strongest
      .slice(0, single)
      .map((feature) => ({ name: features[feature], value: relevance[feature] }));
    const rest = strongest.slice(single);
    if (rest.length > 0) {
      steps.push({
        name: `other (${rest.length} features)`,
        value: d3.sum(rest, (feature) => relevance[feature]),
      });
    }
    steps.push(...parts);
    let from = 0;
    return steps.map((each) => ({ ...each, from, to: (from += each.value) }));
  }

  function drawWaterfall() {
    const { relevance, parts, logit, limit } = explanationOf(state.point, state.versus);
    const steps = waterfallSteps(relevance, parts);
    const format = formatFor(limit, "+");
    const rows = [...steps, { name: "logit", value: logit, from: 0, to: logit, sum: true }];
    drawChart(document.getElementById("waterfall"), {
      label: `From 0 to the logit ${format(logit)}: ${spoken(steps, (row) => format(row.value))}`,
      rows,
      columns: [
        {
          domain: widened(d3.extent([0, ...rows.map((row) => row.to)])),
          draw: (group, x, middle, rowHeight) => {
            drawBars(group, x, middle, {
              kind: (row) => (row.sum ? "step total" : `step ${side(row.value)}`),
              from: (row) => row.from,
              to: (row) => row.to,
              value: (row) => row.value,
            });
            group
              .filter((row) => !row.sum)
              .append("path")
              .attr("class", "join")
              .attr("d", (row) => `M${x(row.to)},${middle + 7}v${rowHeight - 14}`);
          },
        },
        { kind: "relevance", text: (row) => format(row.value) },
      ],
    });
  }

  /** Filled while it is closed, too: the event that tells of its opening comes after it could be seen empty. */
  function showNumbers() {
    const box = d3.select("#numbers");
    const { values, relevance, parts, limit } = explanationOf(state.point, state.versus);
    const format = formatFor(limit, "+");
    const shown = shownFeatures(relevance).map((feature) => ({
      name: features[feature],
      value: plain(values[feature]),
      relevance: relevance[feature],
    }));
    const rest = parts.map(({ name, value }) => ({ name, value: "", relevance: value }));
    box
      .select("thead")
      .selectAll("tr")
      .data([["Feature", "Value", "Relevance"]])
      .join("tr")
      .selectAll("th")
      .data((titles) => titles)
      .join("th")
      .attr("scope", "col")
      .attr("class", (_, at) => (at > 0 ? "amount" : null))
      .text(String);
    const rows = box.select("tbody").selectAll("tr").data([...shown, ...rest]).join("tr");
    rows.selectAll("*").remove();
    rows
      .append("th")
      .attr("scope", "row")
      .text(({ name }) => name);
    rows
      .append("td")
      .attr("class", "amount")
      .text(({ value }) => value);
    rows
      .append("td")
      .attr("class", "amount")
      .text((row) => format(row.relevance));
  }

  function showBrief() {
    keepDrawn(document.getElementById("brief"), () => {
      const limit = listedLimit() || 1;
      drawChart(document.getElementById("brief"), {
        label: `Strongest features: ${strongestWords(state.point)}`,
        rows: strongestOf(state.point).map(({ feature, relevance }) => ({
          name: features[feature],
          relevance,
        })),
        columns: [
          {
            sides: true,
            domain: [-limit, limit],
            draw: (group, x, middle) =>
              drawBars(group, x, middle, {
                kind: (row) => `relevance ${side(row.relevance)}`,
                to: (row) => row.relevance,
              }),
          },
          { kind: "relevance", text: (row) => formatListed()(row.relevance) },
        ],
      });
    });
  }

  function showSteps() {
    const at = state.ordered.indexOf(state.point);
    const last = state.ordered.length - 1;
    d3.select("#position").text(at < 0 ? "not in the filter" : `${whole(at + 1)} of ${whole(last + 1)}`);
    d3.select("#previous").attr("aria-disabled", at === 0 || last < 0);
    d3.select("#next").attr("aria-disabled", at === last);
  }

  function preparePoint() {
    d3.select("#question").on("change", (event) => {
      const { value } = event.target;
      visit(state.point, { versus: value === "" ? null : Number(value), replace: true, focus: "stay" });
    });
    d3.selectAll("#feature-order, #relevance-scale").on("change", showPoint);
    d3.select("#all-features").on("click", () => {
      state.allFeatures = !state.allFeatures;
      showPoint();
    });
    d3.select("#previous").on("click", () => step(-1));
    d3.select("#next").on("click", () => step(1));
    d3.select("#point").on("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (
        by === undefined ||
        event.target.matches("select, .scroll") ||
        event.altKey ||
        event.ctrlKey ||
        event.metaKey
      )
        return;
      event.preventDefault();
      walk(by);
    });
  }

  // ---------------------------------------------------------------- clusters

  function showClusters() {
    d3.select("#clusters-note").text(
      "Bars: mean relevance over the points of the cluster, on one scale for all clusters; " +
        "whiskers: one standard deviation to either side. Beside the names: the centroid, in the units of the " +
        "data.",
    );
    const cards = d3
      .select("#cards")
      .selectAll(".card")
      .data(clusters)
      .join("article")
      .attr("class", "card")
      .style("--cluster", (cluster) => colour(cluster.cluster))
      .attr("aria-labelledby", (cluster) => `cluster-${cluster.cluster}`);
    cards.each(function (cluster) {
      showCard(d3.select(this), cluster);
    });
    d3.select("#all-profiles").on("click", () => {
      state.allProfiles = !state.allProfiles;
      showProfiles();
    });
    showProfiles();
  }

  function showCard(card, cluster) {
    const heading = card.append("h3").attr("id", `cluster-${cluster.cluster}`);
    swatch(heading, clusterMark(cluster.cluster));
    heading.append("span").text(`Cluster ${clusterName(cluster.cluster)}`);
    const facts = card.append("dl").attr("class", "facts").node();
    showFact(facts, "Points", whole(cluster.points), percent(cluster.points / report.total));
    if (classes !== null) showFact(facts, "Stands for class", className(cluster.class));
    showFact(facts, "Mean logit", formatLogit()(cluster.mean_logit));
    card.append("div").attr("class", "chart profile");
    showLinks(card, "Typical points:", cluster.typical);
    showLinks(card, "Ambiguous points:", cluster.ambiguous);
  }

  function showLinks(card, title, rows) {
    if (rows.length === 0) return;
    const line = card.append("p").attr("class", "links");
    line.append("span").text(title);
    line
      .selectAll("a")
      .data(rows)
      .join("a")
      .attr("href", (row) => `#point=${row}`)
      .attr("aria-label", (row) => `Point ${row}`)
      .text(String);
  }

  function showProfiles() {
    showMore("#profiles-more", "#all-profiles", PROFILE_FEATURES, state.allProfiles);
    d3.selectAll(".profile").each(function (cluster) {
      keepDrawn(this, () => drawProfile(this, cluster));
    });
  }

  const profileLimit = once(
    () =>
      largest(
        clusters.flatMap(({ mean_relevance, deviation }) =>
          mean_relevance.map((mean, feature) => Math.abs(mean) + deviation[feature]),
        ),
      ) || 1,
  );

  function drawProfile(host, cluster) {
    const strongest = strongestFirst(cluster.mean_relevance);
    const format = formatFor(profileLimit(), "+");
    const rows = strongest
      .slice(0, state.allProfiles ? strongest.length : PROFILE_FEATURES)
      .map((feature) => ({
        name: features[feature],
        centroid: cluster.centroid[feature],
        mean: cluster.mean_relevance[feature],
        deviation: cluster.deviation[feature],
      }));
    drawChart(host, {
      label: `Mean relevances in cluster ${clusterName(cluster.cluster)}: ${spoken(rows, (row) => format(row.mean))}`,
      rows,
      columns: [
        { title: "centroid", kind: "plain", text: (row) => plain(Number(row.centroid.toPrecision(4))) },
        {
          sides: true,
          domain: [-profileLimit(), profileLimit()],
          draw: (group, x, middle) => {
            drawBars(group, x, middle, { kind: (row) => `mean ${side(row.mean)}`, to: (row) => row.mean });
            group
              .append("path")
              .attr("class", "whisker")
              .attr(
                "d",
                ({ mean, deviation }) =>
                  `M${x(mean - deviation)},${middle - 3}v6m0,-3H${x(mean + deviation)}m0,-3v6`,
              );
          },
        },
        { kind: "relevance", text: (row) => format(row.mean) },
      ],
    });
  }

  // ---------------------------------------------------------------- tables

  /** Headers that sort: a button in each, the order told by aria-sort. */
  function showHeaders(table, columns, order, onSort) {
    const headers = d3
      .select(table)
      .select("thead tr")
      .selectAll("th")
      .data(columns)
      .join((enter) => {
        const added = enter.append("th").attr("scope", "col");
        added.append("button").attr("type", "button");
        return added;
      });
    headers
      .classed("amount", (column) => column.amount === true)
      .attr("aria-sort", ({ key }) =>
        key !== order.key ? "none" : order.descending ? "descending" : "ascending",
      );
    headers
      .select("button")
      .text((column) => column.title)
      .on("click", (_, column) => {
        const again = column.key === order.key;
        onSort(column.key, again ? !order.descending : column.descendingFirst === true);
      });
  }

  function showTable() {
    showHeaders("#point-table", pointColumns, state.order, orderBy);
    const from = state.page * ROWS_ON_A_PAGE;
    const page = state.ordered.slice(from, from + ROWS_ON_A_PAGE);
    const rows = d3
      .select("#point-table tbody")
      .selectAll("tr")
      .data(page)
      .join("tr")
      .attr("data-row", (point) => listed.row[point]);
    rows
      .selectAll("td")
      .data((point) => pointColumns.map((column) => ({ column, point })))
      .join("td")
      .attr("class", ({ column }) => column.kind ?? (column.amount ? "amount" : null))
      .each(function (cell) {
        showCell(d3.select(this), cell);
      });
    showPages(from, page.length);
    markOpenRow();
  }

  function showCell(cell, { column, point }) {
    cell.selectAll("*").remove();
    if (column.key === "row") {
      cell.text("").append("a").attr("href", addressOf(point, null)).text(listed.row[point]);
    } else if (column.key === "cluster") {
      cell.text("");
      swatch(cell, clusterMark(listed.cluster[point]));
      cell.append("span").text(` ${clusterName(listed.cluster[point])}`);
    } else {
      cell.text(column.text ? column.text(point) : column.value(point));
    }
  }

  function showPages(from, length) {
    const all = state.ordered.length;
    const last = Math.max(0, Math.ceil(all / ROWS_ON_A_PAGE) - 1);
    d3.select("#pages").attr("hidden", last === 0 ? "" : null);
    d3.select("#page-position").text(`rows ${whole(from + 1)} to ${whole(from + length)} of ${whole(all)}`);
    d3.select("#page-back").attr("aria-disabled", state.page === 0);
    d3.select("#page-on").attr("aria-disabled", state.page === last);
    const marked = classes === null ? "" : " ≠ marks a class that is not the one its cluster stands for.";
    d3.select("#table-count").text(
      all === 0 ? "No point passes the filter." : `${count(all, "point")} in the filter.${marked}`,
    );
  }

  function turnPage(by) {
    const page = state.page + by;
    if (page < 0 || page * ROWS_ON_A_PAGE >= state.ordered.length) return;
    state.page = page;
    showTable();
  }

  function markOpenRow() {
    d3.selectAll("#point-table tbody tr").attr("aria-current", (point) =>
      point === state.point ? "true" : null,
    );
  }

  function prepareTable() {
    d3.select("#point-table tbody").on("click", (event) => {
      const row = event.target.closest("tr");
      // A link goes there by itself, and text that was just marked is not a click.
      if (event.target.closest("a") || !getSelection().isCollapsed) return;
      visit(d3.select(row).datum());
    });
    d3.select("#page-back").on("click", () => turnPage(-1));
    d3.select("#page-on").on("click", () => turnPage(1));
    d3.select("#download").on("click", download);
  }

  function csvOf(points) {
    const withClass = classes !== null;
    const header = ["index", "cluster", "logit", "probability", ...(withClass ? ["class"] : []), ...features, ...report.absorbed];
    const empty = new Array(features.length + report.absorbed.length).fill("");
    const records = points.map((point) => [
      listed.row[point],
      clusterName(listed.cluster[point]),
      listed.logit[point],
      Number(listed.probability[point].toPrecision(9)),
      ...(withClass ? [listed.class[point] < 0 ? "" : classes[listed.class[point]]] : []),
      ...(listed.detail[point] < 0
        ? empty
        : [
            ...rowOf(details.relevance, listed.detail[point]),
            ...partsOf(details.absorbed, listed.detail[point]).map(({ value }) => value),
          ]),
    ]);
    return d3.csvFormatRows([header, ...records]);
  }

  function download() {
    const address = URL.createObjectURL(new Blob([csvOf(state.ordered), "\n"], { type: "text/csv" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${report.title.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}]+/gu, "-")}-relevances.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  let featureOrder = { key: "overall", descending: true };

  function showFeatures() {
    const magnitude = (cluster) => (feature) => cluster.mean_magnitude[feature];
    const columns = [
      { key: "name", title: "Feature", value: (feature) => features[feature] },
      {
        key: "overall",
        title: "Overall",
        amount: true,
        descendingFirst: true,
        value: magnitude(report.overall),
      },
      ...clusters.map((cluster) => ({
        key: cluster.cluster,
        title: `Cluster ${clusterName(cluster.cluster)}`,
        amount: true,
        descendingFirst: true,
        value: magnitude(cluster),
      })),
    ];
    const most = largest([report.overall, ...clusters].flatMap((each) => each.mean_magnitude));
    const format = formatFor(most);
    const { value } = columns.find((column) => column.key === featureOrder.key);
    const compare = featureOrder.descending ? d3.descending : d3.ascending;
    showHeaders("#feature-table", columns, featureOrder, (key, descending) => {
      featureOrder = { key, descending };
      showFeatures();
    });
    const rows = d3
      .select("#feature-table tbody")
      .selectAll("tr")
      .data(d3.sort(everyFeature, (a, b) => compare(value(a), value(b))))
      .join("tr");
    rows.selectAll("*").remove();
    rows
      .append("th")
      .attr("scope", "row")
      .text((feature) => features[feature]);
    for (const column of columns.slice(1)) {
      rows
        .append("td")
        .attr("class", "amount")
        .text((feature) => format(column.value(feature)))
        .style("--share", (feature) => `${most > 0 ? Math.round((40 * column.value(feature)) / most) : 0}%`);
    }
  }

  // ---------------------------------------------------------------- start

  showHead();
  showTrust();
  prepareControls();
  preparePoint();
  prepareTable();
  select();
  map.draw();
  map.showLegend();
  map.listen();
  follow("stay");
  keepDrawn(document.getElementById("map-plot"), map.resize);
  showSelection();
  showClusters();
  showFeatures();
  window.addEventListener("hashchange", () => {
    if (location.hash !== followed) follow("panel");
  });
  d3.select(document).on("click", (event) => {
    // A link to the point that is open already changes no address, but leads to the panel all the same.
    if (event.target.closest("a")?.hash === location.hash && state.point !== null) follow("panel");
  });
})();
