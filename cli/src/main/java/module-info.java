/// Quern's command line. Providers come in at run time, through service binding.
module dev.quern.cli {
  requires com.fasterxml.jackson.databind;
  requires dev.quern.api;
  requires dev.quern.llama;
  requires info.picocli;
  requires me.tongfei.progressbar;

  opens dev.quern.cli to
      info.picocli;

  provides System.LoggerFinder with
      dev.quern.cli.StderrLoggerFinder;
}
