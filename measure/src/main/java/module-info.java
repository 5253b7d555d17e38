/// Measuring: how fast a model runs, on what machine, reports and charts of it, and models to
/// measure with. For the command line and the benchmarks; no library for others.
@SuppressWarnings("module") // dev.quern.cli is compiled later
module dev.quern.measure {
  requires com.fasterxml.jackson.databind;
  requires dev.quern.api;
  requires dev.quern.llama;
  // Resolved by the launcher for `quern bench` with charts alone: a start would pay for them.
  requires static java.desktop;
  requires static org.jfree.jfreechart;
  requires static VectorGraphics2D; // the library's automatic name

  exports dev.quern.measure to
      dev.quern.cli;
  exports dev.quern.measure.report to
      dev.quern.cli;
  exports dev.quern.measure.synthetic to
      dev.quern.cli;
}
