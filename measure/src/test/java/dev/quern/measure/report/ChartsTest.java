package dev.quern.measure.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/// What a chart shows, by the shapes of its SVG.
class ChartsTest {
  private static final String BLUE = "fill:rgb(0,114,178)";

  @Test
  void barsAndWhiskersEndWhereTheirFiguresAre() throws Exception {
    Element svg =
        chart(
            new Charts.Group(
                "",
                List.of(
                    new Charts.Bar("one", 50, 40, 90, 0), new Charts.Bar("two", 20, 20, 20, 0))));
    List<Element> bars = elements(svg, "rect", BLUE);
    double zero = number(bars.get(0), "x");
    double unit = number(bars.get(0), "width") / 50;
    assertEquals(20 * unit, number(bars.get(1), "width"), 1e-3);
    List<Element> lines = elements(svg, "line", "stroke:currentColor");
    assertEquals(3, lines.size(), "a whisker and its two caps; none where nothing spreads");
    Element whisker = lines.get(0);
    double left = Math.min(number(whisker, "x1"), number(whisker, "x2"));
    double right = Math.max(number(whisker, "x1"), number(whisker, "x2"));
    assertEquals(zero + 40 * unit, left, 1e-3);
    assertEquals(zero + 90 * unit, right, 1e-3);
    double middle = number(bars.get(0), "y") + number(bars.get(0), "height") / 2;
    assertEquals(middle, number(whisker, "y1"), 1e-3);
  }

  @Test
  void groupsHaveNamesAndMayHoldTheSameLabels() throws Exception {
    Charts.Bar bar = new Charts.Bar("same", 50, 50, 50, 0);
    Element svg =
        chart(new Charts.Group("first", List.of(bar)), new Charts.Group("second", List.of(bar)));
    assertEquals(2, elements(svg, "rect", BLUE).size());
    List<String> texts = elements(svg, "text", "").stream().map(Element::getTextContent).toList();
    assertEquals(
        List.of("first", "same", "second", "same"),
        texts.stream().filter(List.of("first", "second", "same")::contains).toList());
    assertEquals(2, elements(svg, "text", "font-weight:bold").size() - 1, "beside the title");
  }

  private static Element chart(Charts.Group... groups) throws Exception {
    String svg = Charts.bars("id", "Title", "unit", List.of(groups)).svg();
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)))
        .getDocumentElement();
  }

  /// In the order of the document.
  private static List<Element> elements(Element svg, String name, String style) {
    NodeList all = svg.getElementsByTagName(name);
    List<Element> found = new ArrayList<>();
    for (int i = 0; i < all.getLength(); i++) {
      if (all.item(i) instanceof Element e && e.getAttribute("style").contains(style)) {
        found.add(e);
      }
    }
    return found;
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }
}
