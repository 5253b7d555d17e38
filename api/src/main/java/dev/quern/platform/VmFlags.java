package dev.quern.platform;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.VMOption;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Asks HotSpot for the flags that decide what becomes of hot code: which compilers run, what C2
/// may inline, which instructions it may use. [System#getProperties] says little of that (see
/// [Platforms#jit]), and the command line nothing of what a variable or a file of options set.
final class VmFlags {
  /// In no order. A flag that needs to be unlocked and was not can't be asked for, and has its
  /// default then.
  private static final List<String> NAMES =
      List.of(
          "CompilationMode",
          "CompileCommand",
          "CompileOnly",
          "CompileThresholdScaling",
          "ControlIntrinsic",
          "DisableIntrinsic",
          "DoEscapeAnalysis",
          "EnableVectorSupport",
          "IncrementalInline",
          "Inline",
          "InlineNatives",
          "InlineUnsafeOps",
          "MaxVectorSize",
          "TieredCompilation",
          "TieredStopAtLevel",
          "UseAVX",
          "UseCompiler",
          "UseFMA",
          "UseJVMCICompiler",
          "UseSSE");

  private VmFlags() {}

  /// The flags that this JVM knows, by name; none where it lacks the module `jdk.management`, or is
  /// not HotSpot. The first call costs some milliseconds.
  static Map<String, String> read() {
    return ModuleLayer.boot().findModule("jdk.management").isPresent() ? Asked.flags() : Map.of();
  }

  /// Apart, since it does not link without the module.
  private static final class Asked {
    static Map<String, String> flags() {
      HotSpotDiagnosticMXBean jvm =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      Map<String, String> flags = new TreeMap<>();
      if (jvm != null) {
        for (String name : NAMES) {
          try {
            VMOption option = jvm.getVMOption(name);
            flags.put(name, option.getValue());
          } catch (IllegalArgumentException _) {
            // This JVM has no such flag, or it is locked: the answer to the question.
            continue;
          }
        }
      }
      return flags;
    }
  }
}
