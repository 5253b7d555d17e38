/// Quern's command line. Providers come in at run time, through service binding.
module dev.quern.cli {
  requires com.fasterxml.jackson.databind;
  requires dev.quern.api;
  // Resolved by the launcher for `quern conformance` alone: JUnit and jqwik, which the suite needs,
  // are nothing for a model to start with.
  requires static dev.quern.conformance;
  requires dev.quern.demo;
  requires dev.quern.llama;
  requires dev.quern.measure;
  // Resolved by the launcher for `quern serve` alone: an HTTP server is nothing for others to start
  // with.
  requires static dev.quern.serve;
  requires info.picocli;
  requires jdk.unsupported; // JLine hears of Ctrl-C through sun.misc.Signal, by reflection
  requires me.tongfei.progressbar;
  requires org.jline.reader;
  requires org.jline.terminal;

  opens dev.quern.cli to
      info.picocli;
  opens dev.quern.cli.accuracy to
      info.picocli;
  opens dev.quern.cli.bench to
      info.picocli;
  opens dev.quern.cli.conformance to
      info.picocli;
  opens dev.quern.cli.console to
      info.picocli;
  opens dev.quern.cli.model to
      info.picocli;
  opens dev.quern.cli.serve to
      info.picocli;
  opens dev.quern.cli.text to
      info.picocli;

  provides System.LoggerFinder with
      dev.quern.cli.console.StderrLoggerFinder;
}
