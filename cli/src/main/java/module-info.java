/// Quern's command line. Providers come in at run time, through service binding.
module dev.quern.cli {
  requires com.fasterxml.jackson.databind;
  requires dev.quern.api;
  // Resolved by the launcher for `quern conformance` alone: JUnit and jqwik, which the suite needs,
  // are nothing for a model to start with.
  requires static dev.quern.conformance;
  requires dev.quern.llama;
  // Resolved by the launcher for `quern bench` with charts alone, for the same reason.
  requires static java.desktop;
  requires static org.jfree.jfreechart;
  requires static VectorGraphics2D; // the library's automatic name
  requires info.picocli;
  requires me.tongfei.progressbar;

  opens dev.quern.cli to
      info.picocli;

  provides System.LoggerFinder with
      dev.quern.cli.StderrLoggerFinder;
}
