package dev.quern.measure.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Pieces of a page that stands alone: no script, nothing to fetch, readable on light and dark.
final class Html {
  private static final String STYLE =
      """
      :root { color-scheme: light dark; }
      body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
      h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
      figure { margin: 1rem 0; overflow-x: auto; }
      figcaption, .note { opacity: .8; font-size: .9em; }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; font-size: .9em; }
      th, td { padding: .3rem .7rem; border-bottom: 1px solid #8886; text-align: left; vertical-align: top; }
      td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
      td:first-child { min-width: 11rem; }
      code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
      pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .7rem; border: 1px solid #8886; border-radius: 6px; }
      .key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .5em; }
      """;

  private Html() {}

  /// A whole page.
  static String page(String title, String body) {
    return String.format(
        Locale.ROOT,
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>%s</title>
        <style>
        %s</style>
        </head>
        <body>
        <main>
        <h1>%s</h1>
        %s</main>
        </body>
        </html>
        """,
        escaped(title),
        STYLE,
        escaped(title),
        body);
  }

  static String figure(Charts.Svg chart, String caption) {
    return String.format(
        Locale.ROOT,
        "<figure>\n%s<figcaption>%s</figcaption>\n</figure>\n",
        chart.svg(),
        escaped(caption));
  }

  /// A table whose cells are HTML.
  ///
  /// @param head each column's name; one that ends with `>` is a column of numbers
  static String table(List<String> head, List<List<String>> rows) {
    StringBuilder html = new StringBuilder("<div class=\"scroll\"><table>\n<thead><tr>");
    for (String name : head) {
      html.append(
          String.format(
              Locale.ROOT,
              "<th scope=\"col\"%s>%s</th>",
              kind(name),
              escaped(name.replaceFirst(">$", ""))));
    }
    html.append("</tr></thead>\n<tbody>\n");
    for (List<String> row : rows) {
      html.append("<tr>");
      for (int c = 0; c < row.size(); c++) {
        html.append(String.format(Locale.ROOT, "<td%s>%s</td>", kind(head.get(c)), row.get(c)));
      }
      html.append("</tr>\n");
    }
    return html.append("</tbody>\n</table></div>\n").toString();
  }

  private static String kind(String name) {
    return name.endsWith(">") ? " class=\"n\"" : "";
  }

  static String section(String title, String body) {
    return String.format(Locale.ROOT, "<h2>%s</h2>\n%s", escaped(title), body);
  }

  static String paragraphs(List<String> lines) {
    return lines.stream()
        .map(l -> String.format(Locale.ROOT, "<p>%s</p>\n", escaped(l)))
        .collect(Collectors.joining());
  }

  static String code(List<String> lines) {
    return String.format(Locale.ROOT, "<pre>%s</pre>\n", escaped(String.join("\n", lines)));
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
