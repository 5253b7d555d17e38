package dev.quern.conformance.report;

/// A small chart: an error on a track on which the bound is marked.
final class Chart {
  /// Pixels from 0 to the bound; as much again as a third is left for what is beyond.
  private static final int BOUND = 120;

  private static final int WIDTH = 160;
  private static final int HEIGHT = 12;

  private Chart() {}

  /// @param ratio the error against its bound; what exceeds the track fills it
  static void bar(Markup html, double ratio) {
    double length = Math.min(WIDTH, ratio * BOUND);
    html.start(
        "svg",
        "width",
        Integer.toString(WIDTH),
        "height",
        "18",
        "viewBox",
        Format.text("0 0 %d 18", WIDTH),
        "role",
        "img",
        "aria-label",
        Format.ratio(ratio) + " of the bound");
    rect(html, "track", WIDTH);
    rect(html, ratio > 1 ? "over" : "fill", length);
    html.element(
        "line",
        "",
        "class",
        "bound",
        "x1",
        Integer.toString(BOUND),
        "x2",
        Integer.toString(BOUND),
        "y1",
        "1",
        "y2",
        "17");
    html.end();
  }

  private static void rect(Markup html, String kind, double width) {
    html.element(
        "rect",
        "",
        "class",
        kind,
        "y",
        "3",
        "height",
        Integer.toString(HEIGHT),
        "width",
        Format.text("%.1f", width));
  }
}
