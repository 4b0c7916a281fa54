// How the relevances of the open point add up to its logit.

function drawWaterfall() {
  const explanation = explanationOf(state.point, state.versus);
  const { relevance, parts, logit } = explanation;
  const format = formatFor(limitOf(explanation), "+");
  drawSteps(document.getElementById("waterfall"), { relevance, parts, logit, format, total: "logit" });
}
