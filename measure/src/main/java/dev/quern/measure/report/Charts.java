package dev.quern.measure.report;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Paint;
import java.awt.font.FontRenderContext;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.text.NumberFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jfree.chart.ChartUtils;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.StandardChartTheme;
import org.jfree.chart.axis.AxisLocation;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.Plot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.CategoryItemRendererState;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.renderer.xy.XYErrorRenderer;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.Range;
import org.jfree.data.category.CategoryDataset;
import org.jfree.data.category.DefaultCategoryDataset;
import org.jfree.data.xy.YIntervalSeries;
import org.jfree.data.xy.YIntervalSeriesCollection;

/// Charts as SVG elements, for a page or a file. Their text stays text, their ink is the colour of
/// the text around them (`currentColor`), so that a dark page can be read too, and their ground is
/// the page's.
///
/// JFreeChart draws them into VectorGraphics2D.
public final class Charts {
  /// A bar.
  ///
  /// @param label with the value
  /// @param value its length
  /// @param low the whisker's lower end
  /// @param high its upper end; where both are the value there is no whisker
  /// @param color index of its colour
  public record Bar(String label, double value, double low, double high, int color) {}

  /// Bars that stand together.
  ///
  /// @param name written above them; none where it is empty
  public record Group(String name, List<Bar> bars) {
    public Group {
      bars = List.copyOf(bars);
    }
  }

  /// A point of a curve.
  ///
  /// @param low the whisker's lower end
  /// @param high its upper end
  record Point(double x, double y, double low, double high) {}

  /// A chart.
  ///
  /// @param svg an `svg` element
  /// @param width in pixels
  /// @param height in pixels
  public record Svg(String svg, int width, int height) {}

  /// Okabe and Ito's colours, which most people can tell apart; without yellow, which is pale on
  /// white.
  private static final List<Color> COLORS =
      List.of(
          new Color(0x0072B2),
          new Color(0xE69F00),
          new Color(0x009E73),
          new Color(0xCC79A7),
          new Color(0x56B4E9),
          new Color(0xD55E00));

  private static final Color INK = new Color(1, 2, 3); // becomes currentColor
  private static final Color CLEAR = new Color(255, 255, 255, 0);
  private static final String FONT = "DejaVu Sans";
  private static final int WIDTH = 720;
  private static final int BAR_HEIGHT = 34;
  private static final int FRAME_HEIGHT = 80;
  private static final int CURVE_HEIGHT = 320;

  private Charts() {}

  /// Why this machine can't lay out the texts of charts, in a few words; empty if it can. Small
  /// containers have no fonts, which the JDK's `java.desktop` says by failing.
  ///
  /// Only to be asked where JFreeChart is there, see [ProtocolPage#canDraw].
  static Optional<String> missingFonts() {
    try {
      new Font(FONT, Font.PLAIN, 12).getStringBounds("1", new FontRenderContext(null, true, true));
      return Optional.empty();
    } catch (RuntimeException | LinkageError | InternalError e) {
      return Optional.of(e.getMessage());
    }
  }

  /// Horizontal bars from 0, the first group and in it the first bar on top. The colour of an index
  /// is the same in all charts.
  ///
  /// @param id unique in the page
  /// @param unit of the axis of values
  public static Svg bars(String id, String title, String unit, List<Group> groups) {
    DefaultCategoryDataset data = new DefaultCategoryDataset();
    CategoryAxis labels = new CategoryAxis();
    labels.setMaximumCategoryLabelWidthRatio(0.6f);
    labels.setMaximumCategoryLabelLines(2);
    List<Optional<Bar>> rows = new ArrayList<>(); // empty for the name of a group
    for (Group group : groups) {
      if (!group.name().isEmpty()) {
        RowKey key = new RowKey(rows.size(), group.name());
        data.addValue(null, title, key);
        labels.setTickLabelFont(key, new Font(FONT, Font.BOLD, 12));
        rows.add(Optional.empty());
      }
      for (Bar bar : group.bars()) {
        data.addValue(bar.value(), title, new RowKey(rows.size(), bar.label()));
        rows.add(Optional.of(bar));
      }
    }
    BarRenderer renderer = new WhiskerBarRenderer(rows);
    renderer.setBarPainter(new StandardBarPainter());
    renderer.setShadowVisible(false);
    renderer.setMaximumBarWidth(0.3);
    CategoryPlot plot = new CategoryPlot(data, labels, axis(unit), renderer);
    plot.setOrientation(PlotOrientation.HORIZONTAL);
    plot.setRangeAxisLocation(AxisLocation.BOTTOM_OR_LEFT);
    return svg(id, title, plot, FRAME_HEIGHT + BAR_HEIGHT * rows.size());
  }

  /// A curve of points and whiskers, from 0 on both axes. The y axis has no name of its own, which
  /// would be turned: the title has it.
  ///
  /// @param xUnit of the x axis
  /// @param color index of its colour
  static Svg curve(String id, String title, String xUnit, int color, List<Point> points) {
    YIntervalSeries series = new YIntervalSeries(title);
    points.forEach(p -> series.add(p.x(), p.y(), p.low(), p.high()));
    YIntervalSeriesCollection data = new YIntervalSeriesCollection();
    data.addSeries(series);
    XYErrorRenderer renderer = new XYErrorRenderer();
    renderer.setAutoPopulateSeriesPaint(false); // else the theme clears it
    renderer.setAutoPopulateSeriesStroke(false);
    renderer.setDefaultLinesVisible(true);
    renderer.setDrawXError(false);
    renderer.setErrorPaint(INK);
    renderer.setErrorStroke(new BasicStroke(1.5f));
    renderer.setSeriesPaint(0, color(color));
    renderer.setSeriesStroke(0, new BasicStroke(2f));
    XYPlot plot = new XYPlot(data, axis(xUnit), axis(null), renderer);
    return svg(id, title, plot, CURVE_HEIGHT);
  }

  /// The colour of a bar or a curve, as CSS has it.
  static String cssColor(int index) {
    return String.format(Locale.ROOT, "#%06x", color(index).getRGB() & 0xffffff);
  }

  private static Color color(int index) {
    return COLORS.get(index % COLORS.size());
  }

  /// Rows of a chart, which may have the same label.
  private record RowKey(int row, String label) implements Comparable<RowKey> {
    @Override
    public int compareTo(RowKey other) {
      return Integer.compare(row, other.row);
    }

    /// What the axis shows.
    @Override
    public String toString() {
      return label;
    }
  }

  /// A colour for each bar, where JFreeChart has one for each series, and whiskers whose ends need
  /// not be equally far from the bar's.
  private static final class WhiskerBarRenderer extends BarRenderer {
    private static final long serialVersionUID = 1L;
    private static final double CAP = 5; // half of it, in pixels

    private final transient List<Optional<Bar>> rows;

    WhiskerBarRenderer(List<Optional<Bar>> rows) {
      this.rows = List.copyOf(rows);
    }

    @Override
    public Paint getItemPaint(int row, int column) {
      return rows.get(column).<Paint>map(bar -> color(bar.color())).orElse(CLEAR);
    }

    /// The axis reaches to the whiskers' ends.
    @Override
    public Range findRangeBounds(CategoryDataset data) {
      return new Range(
          0, rows.stream().flatMap(Optional::stream).mapToDouble(Bar::high).max().orElse(0));
    }

    @Override
    public void drawItem(
        Graphics2D graphics,
        CategoryItemRendererState state,
        Rectangle2D area,
        CategoryPlot plot,
        CategoryAxis labels,
        ValueAxis values,
        CategoryDataset data,
        int row,
        int column,
        int pass) {
      super.drawItem(graphics, state, area, plot, labels, values, data, row, column, pass);
      Bar bar = rows.get(column).orElse(null);
      if (bar == null || bar.low() == bar.high()) {
        return;
      }
      double y =
          calculateBarW0(plot, plot.getOrientation(), area, labels, state, row, column)
              + state.getBarWidth() / 2;
      double low = values.valueToJava2D(bar.low(), area, plot.getRangeAxisEdge());
      double high = values.valueToJava2D(bar.high(), area, plot.getRangeAxisEdge());
      graphics.setPaint(INK);
      graphics.setStroke(new BasicStroke(1.5f));
      graphics.draw(new Line2D.Double(low, y, high, y));
      graphics.draw(new Line2D.Double(low, y - CAP, low, y + CAP));
      graphics.draw(new Line2D.Double(high, y - CAP, high, y + CAP));
    }
  }

  private static NumberAxis axis(String unit) {
    NumberAxis axis = new NumberAxis(unit);
    axis.setAutoRangeIncludesZero(true);
    axis.setNumberFormatOverride(NumberFormat.getInstance(Locale.ROOT));
    return axis;
  }

  private static Svg svg(String id, String title, Plot plot, int height) {
    JFreeChart chart = new JFreeChart(title, new Font(FONT, Font.BOLD, 15), plot, false);
    style(chart);
    VectorGraphics2D graphics = new VectorGraphics2D();
    chart.draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, height));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      new SVGProcessor()
          .getDocument(graphics.getCommands(), new PageSize(0, 0, WIDTH, height))
          .writeTo(out);
    } catch (IOException e) {
      throw new IllegalStateException("memory can't fail to be written to", e);
    }
    return new Svg(element(out.toString(StandardCharsets.UTF_8), id, title), WIDTH, height);
  }

  private static void style(JFreeChart chart) {
    StandardChartTheme theme = new StandardChartTheme("Quern");
    theme.setExtraLargeFont(new Font(FONT, Font.BOLD, 15));
    theme.setLargeFont(new Font(FONT, Font.PLAIN, 13));
    theme.setRegularFont(new Font(FONT, Font.PLAIN, 12));
    theme.setSmallFont(new Font(FONT, Font.PLAIN, 11));
    theme.setTitlePaint(INK);
    theme.setAxisLabelPaint(INK);
    theme.setTickLabelPaint(INK);
    theme.setLegendItemPaint(INK);
    theme.setLegendBackgroundPaint(CLEAR);
    theme.setChartBackgroundPaint(CLEAR);
    theme.setPlotBackgroundPaint(CLEAR);
    theme.setPlotOutlinePaint(CLEAR);
    theme.setErrorIndicatorPaint(INK);
    theme.setDomainGridlinePaint(Color.GRAY);
    theme.setRangeGridlinePaint(Color.GRAY);
    theme.setShadowVisible(false);
    theme.setAxisOffset(RectangleInsets.ZERO_INSETS);
    theme.setBarPainter(new StandardBarPainter());
    ChartUtils.applyCurrentTheme(chart);
    theme.apply(chart);
  }

  /// Of the document its element, with ids that no other chart of the page has, a title for screen
  /// readers, and the ink's colour left to the page.
  private static String element(String document, String id, String title) {
    String body =
        document
            .substring(document.indexOf("<svg"))
            .replace("id=\"clip", "id=\"" + id + "-clip")
            .replace("url(#clip", "url(#" + id + "-clip")
            .replace("rgb(1,2,3)", "currentColor")
            .replace(
                "font-family:&quot;" + FONT + "&quot;",
                "font-family:&quot;" + FONT + "&quot;,Verdana,sans-serif");
    int end = body.indexOf('>') + 1;
    return body.substring(0, end - 1)
        + " style=\"font-size:12px\"" // which VectorGraphics2D takes for granted
        + String.format(
            Locale.ROOT,
            " role=\"img\" aria-labelledby=\"%s-title\"><title id=\"%s-title\">%s</title>",
            id,
            id,
            Html.escaped(title))
        + body.substring(end);
  }
}
