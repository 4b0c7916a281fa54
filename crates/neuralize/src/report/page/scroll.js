// Tables that are wider than their boxes fade out on the side where they go on.

function prepareScroll() {
  const boxes = document.querySelectorAll(".scroll");
  const show = (box) => box.classList.toggle("goes-on", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  const sized = new ResizeObserver(() => boxes.forEach(show));
  for (const box of boxes) {
    box.addEventListener("scroll", () => show(box));
    sized.observe(box);
    sized.observe(box.firstElementChild);
  }
}

