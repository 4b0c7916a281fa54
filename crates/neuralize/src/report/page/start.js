// Draws the page and then follows its address.

showHead();
showTrust();
prepareFilter();
preparePoint();
prepareTable();
drawMap();
showLegend();
prepareMap();
follow("stay");
keepDrawn(map.host, resizeMap);
select();
showClusters();
showFeatures();
window.addEventListener("hashchange", () => {
  if (location.hash !== followed) follow("panel");
});
d3.select(document).on("click", (event) => {
  // A link to the open point does not change the address, but still leads to its panel.
  if (event.target.closest("a")?.hash === location.hash && state.point !== null) follow("panel");
});
