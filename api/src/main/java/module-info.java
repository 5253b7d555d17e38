/// The contract between LLM applications and kernel providers: operator specs, kernel interfaces,
/// the provider SPI, and the catalog that finds providers and chooses among them.
///
/// - `dev.quern` is the façade for applications: [dev.quern.Kernels] and its report.
/// - `dev.quern.data` holds views over memory that the caller owns.
/// - `dev.quern.op` holds a spec and a kernel interface for each operator.
/// - `dev.quern.spi` is what a provider implements.
///
/// What is not exported: `discovery` finds providers and asks them without waiting for ever,
/// `platform` finds out where the JVM runs, `checked` holds the checks of every call's arguments.
///
/// The rules that both sides keep are numbered in `SPEC.md`.
@SuppressWarnings("module") // those that dev.quern.files and text are for are compiled later
module dev.quern.api {
  // For the JVM's flags (VmFlags). A provider that has to know them requires it for good.
  requires static jdk.management;

  exports dev.quern;
  exports dev.quern.data;
  exports dev.quern.files to
      dev.quern.cli,
      dev.quern.conformance,
      dev.quern.llama,
      dev.quern.provider.x86;
  exports dev.quern.op;
  exports dev.quern.spi;
  exports dev.quern.text to
      dev.quern.cli,
      dev.quern.serve;

  uses dev.quern.spi.KernelProvider;
}
