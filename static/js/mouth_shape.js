/** How the lips follow the five points that a person drags: as the server does it. */

export const CURVES = ["lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer"];
export const HANDLES = ["corner_left", "corner_right", "upper", "lower", "seam"];

/**
 * The lip curves of `points` moved so that the handles come from `was` to `now`.
 *
 * The corners give a turn, a shift and a scale; what is then missing in the middle fades to
 * nothing at the corners.
 */
export function follow(points, was, now) {
  const from = axes(was);
  const to = axes(now);
  const anchors = ["upper", "seam", "lower"].map((name) => {
    const place = into(from, was[name]);
    const wanted = into(to, now[name]);
    const fade = Math.max(1 - place[0] ** 2, 0.2);
    return { height: place[1], step: place.map((value, axis) => (wanted[axis] - value) / fade) };
  });
  anchors.sort((one, other) => one.height - other.height);
  const moved = ([x, y]) => {
    const [along, down] = into(from, [x, y]);
    const fade = Math.max(1 - along ** 2, 0);
    const step = between(anchors, down);
    return onto(to, [along + fade * step[0], down + fade * step[1]]);
  };
  return Object.fromEntries(CURVES.map((name) => [name, points[name].map(moved)]));
}

/** Midway between the corners, and half a mouth along. */
function axes({ corner_left: [x0, y0], corner_right: [x1, y1] }) {
  const half = [(x1 - x0) / 2, (y1 - y0) / 2];
  return { middle: [(x0 + x1) / 2, (y0 + y1) / 2], half, squared: half[0] ** 2 + half[1] ** 2 || 1 };
}

function into({ middle, half, squared }, [x, y]) {
  const [dx, dy] = [x - middle[0], y - middle[1]];
  return [(dx * half[0] + dy * half[1]) / squared, (dy * half[0] - dx * half[1]) / squared];
}

function onto({ middle, half }, [along, down]) {
  return [
    middle[0] + along * half[0] - down * half[1],
    middle[1] + along * half[1] + down * half[0],
  ];
}

function between(anchors, height) {
  if (height <= anchors[0].height) return anchors[0].step;
  for (let index = 1; index < anchors.length; index += 1) {
    const [low, high] = [anchors[index - 1], anchors[index]];
    if (height > high.height) continue;
    const share = (height - low.height) / (high.height - low.height || 1);
    return low.step.map((value, axis) => value + share * (high.step[axis] - value));
  }
  return anchors.at(-1).step;
}
