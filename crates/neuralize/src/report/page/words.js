// Numbers and names as the page writes them.

const whole = d3.format(",");
const small = d3.format(".2~g");
const percent = d3.format(".1%");

const count = (number, noun) => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;

/** A format of about four digits at the given size, so that the numbers of a column align. */
function formatFor(size, sign = "") {
  const exponent = size > 0 ? Math.floor(Math.log10(size)) : 0;
  if (exponent < -3) return d3.format(`${sign}.3e`);
  if (exponent > 5) return d3.formatPrefix(`${sign},.${3 - (exponent % 3)}`, size);
  return d3.format(`${sign},.${Math.max(0, 3 - exponent)}f`);
}

/** A value as a person writes it: integers in full, other numbers with at most six digits. */
function plain(value) {
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return text.replace("-", "−");
}

/** A value of a feature as text: a number, a category, a date, yes or no. */
function valueText(feature, value, format = plain) {
  const of = report.kinds === null ? { kind: "number" } : report.kinds[feature];
  if (of.kind === "category") return value < 0 ? "another value" : of.values[Math.round(value)];
  if (of.kind === "date") return new Date(Math.round(value * 86400) * 1000).toISOString().replace(/T00:00:00.*|\.000Z/, "").replace("T", " ");
  if (of.kind === "flag") {
    const share = Math.round(100 * value);
    return share === 0 ? "no" : share === 100 ? "yes" : `${share} % yes`;
  }
  return format(value);
}

/** A value of a point, with a word if it stands for a missing one. */
const pointValueText = (feature, { values, filled }) =>
  valueText(feature, values[feature]) + (filled !== null && filled[feature] === 1 ? " (filled in)" : "");

const formatLogit = once(() => formatFor(listedLimit()));
const formatListed = once(() => formatFor(listedLimit(), "+"));

/** Three digits; a probability that would round to 1 is written as > 0.999. */
function formatProbability(probability) {
  return probability < 1 && probability > 0.9995 ? "> 0.999" : probability.toFixed(3);
}

const className = (index) => (index === null || index < 0 ? "none" : classes[index]);
const betaWords =
  model.beta === null ? "nearest competitor only" : `all competitors (beta ${plain(model.beta)})`;
const scaleWords = {
  none: "without scaling",
  minmax: "each scaled to the range 0 to 1",
  standard: "each scaled to mean 0 and standard deviation 1",
  robust: "each scaled to median 0 and interquartile range 1",
};

/** The number of a point, with its name if it has one. */
const pointTitle = (point) => {
  const { names } = report.listed;
  return names === null ? `Point ${listed.row[point]}` : `Point ${listed.row[point]} (${names[point]})`;
};

function describe(point) {
  const kind = classes === null ? "" : `, class ${className(listed.class[point])}`;
  return (
    `${pointTitle(point)}, cluster ${clusterName(listed.cluster[point])}${kind}` +
    `, probability ${formatProbability(listed.probability[point])}` +
    `, logit ${formatLogit()(listed.logit[point])}`
  );
}

/** The parts of a listed point's logit that belong to no feature, if the file has the point in full. */
function partsWords(point) {
  const detail = listed.detail[point];
  const shown = detail < 0 ? [] : partsOf(details.absorbed, detail).filter(({ value }) => value !== 0);
  const format = formatFor(relevanceLimit() || 1, "+");
  const words = shown.map(({ name, value }) => `${name} ${format(value)}`).join(", ");
  return words && `including ${words}`;
}

const strongestWords = (point) =>
  strongestOf(point)
    .map(({ feature, relevance }) => `${features[feature]} ${formatListed()(relevance)}`)
    .join(", ");
