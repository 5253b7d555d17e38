package dev.quern.arm;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// The tests of one row of the Arm lane, in a JVM of its own: `java ... dev.quern.arm.RowMain
/// RESULTS TAGS`, where TAGS is JUnit's expression of tags (`arm | arm-models`). Each test is a
/// line in RESULTS as it begins and as it ends, so that the file says what ran when a kernel ended
/// the process.
///
/// It needs no Maven: on an Arm machine, or with an arm64 JVM under emulation, it runs as it is.
public final class RowMain {
  private RowMain() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: RowMain RESULTS TAGS");
      System.exit(2);
    }
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectPackage("dev.quern.arm"), selectPackage("dev.quern.provider.kleidi"))
            .filters(TagFilter.includeTags(args[1]))
            // Otherwise jqwik keeps a database in the working folder, which two rows would share.
            .configurationParameter("jqwik.database", "")
            .build();
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(args[0])), true)) {
      LauncherFactory.create().execute(request, new Writer(out));
    }
    // Says more than the time that has passed, on a machine that does other things too.
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os) {
      System.out.printf(Locale.ROOT, "%d s of CPU%n", os.getProcessCpuTime() / 1_000_000_000);
    }
    // Workers of a test that failed may still run.
    System.exit(0);
  }

  /// Writes what happens.
  private static final class Writer implements TestExecutionListener {
    private final PrintWriter out;
    private final Map<String, Long> starts = new HashMap<>();
    private TestPlan plan;

    Writer(PrintWriter out) {
      this.out = out;
    }

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
      this.plan = plan;
    }

    @Override
    public void executionStarted(TestIdentifier test) {
      starts.put(test.getUniqueId(), System.nanoTime());
      if (test.isTest()) {
        out.println(RowResult.begun(className(test), name(test)).line());
      }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
      out.println(
          new RowResult(RowResult.Status.SKIPPED, 0, className(test), name(test), reason).line());
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      // A class whose set-up failed counts as a test that failed; those that went well are silent.
      if (!test.isTest() && result.getStatus() == TestExecutionResult.Status.SUCCESSFUL) {
        return;
      }
      long millis = (System.nanoTime() - starts.get(test.getUniqueId())) / 1_000_000;
      RowResult.Status status =
          switch (result.getStatus()) {
            case SUCCESSFUL -> RowResult.Status.PASSED;
            case ABORTED -> RowResult.Status.SKIPPED;
            case FAILED -> RowResult.Status.FAILED;
          };
      String reason = result.getThrowable().map(t -> text(t, status)).orElse("");
      out.println(new RowResult(status, millis, className(test), name(test), reason).line());
    }

    private static String text(Throwable t, RowResult.Status status) {
      if (status == RowResult.Status.SKIPPED) {
        return String.valueOf(t.getMessage());
      }
      StringWriter text = new StringWriter();
      t.printStackTrace(new PrintWriter(text));
      return text.toString();
    }

    /// The method, and which of its tests it is.
    private static String name(TestIdentifier test) {
      String name = test.getDisplayName();
      return test.getSource().orElse(null) instanceof MethodSource m
              && !name.startsWith(m.getMethodName())
          ? m.getMethodName() + ": " + name
          : name;
    }

    /// The class that a test belongs to: its own or that of what contains it.
    private String className(TestIdentifier test) {
      return test.getSource()
          .map(source ->
              switch (source) {
                case ClassSource c -> c.getClassName();
                case MethodSource m -> m.getClassName();
                default -> parentClass(test);
              })
          .orElseGet(() -> parentClass(test));
    }

    private String parentClass(TestIdentifier test) {
      return plan.getParent(test).map(this::className).orElse("");
    }
  }
}
