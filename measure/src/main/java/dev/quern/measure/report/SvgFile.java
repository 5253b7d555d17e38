package dev.quern.measure.report;

import java.util.List;
import java.util.Locale;

/// Charts below each other in one SVG document, for pages that show images only.
public final class SvgFile {
  private SvgFile() {}

  /// An SVG document, readable on light and dark.
  public static String of(List<Charts.Svg> charts) {
    int width = charts.stream().mapToInt(Charts.Svg::width).max().orElse(0);
    int height = charts.stream().mapToInt(Charts.Svg::height).sum();
    StringBuilder svg =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">%n%s%n",
                width,
                height,
                width,
                height,
                "<style>:root { color: #222; } @media (prefers-color-scheme: dark) { :root { color: #ddd; } }</style>"));
    int y = 0;
    for (Charts.Svg chart : charts) {
      svg.append(String.format(Locale.ROOT, "<g transform=\"translate(0,%d)\">%n", y))
          .append(chart.svg())
          .append("</g>\n");
      y += chart.height();
    }
    return svg.append("</svg>\n").toString();
  }
}
