package dev.quern.x86;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;

/// A program that finds the provider as a service, asks it whether it can run on a machine that has
/// everything, and prints the answer: reason, then remedy. With an argument the process forbids
/// itself to execute what it wrote before.
public final class AskProvider {
  /// `PR_SET_MDWE` and its flag `PR_MDWE_REFUSE_EXEC_GAIN` (`linux/prctl.h`, since 6.3).
  private static final int PR_SET_MDWE = 65;

  /// What a CPU of the best row has. As a module the provider exports nothing that could tell.
  private static final String EVERYTHING =
      "avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512_vnni avx512_bf16 amx_tile"
          + " amx_int8 amx_bf16";

  private AskProvider() {}

  @SuppressWarnings("restricted")
  public static void main(String[] args) throws Throwable {
    Set<String> all = Set.of(EVERYTHING.split(" "));
    Platform platform = new Platform("linux", "x86_64", all, Jit.C2, Set.of(), Map.of());
    KernelProvider x86 =
        ServiceLoader.load(KernelProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(p -> p.name().equals("x86"))
            .findFirst()
            .orElseThrow();
    if (args.length > 0) {
      x86.open(platform); // what needs code of the JVM's own has been called once
      int result =
          (int)
              Linker.nativeLinker()
                  .downcallHandle(
                      Linker.nativeLinker().defaultLookup().findOrThrow("prctl"),
                      FunctionDescriptor.of(
                          JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                      Linker.Option.firstVariadicArg(1))
                  .invokeExact(PR_SET_MDWE, 1L, 0L, 0L, 0L);
      if (result != 0) {
        System.out.println("prctl: " + result);
        return;
      }
    }
    switch (x86.open(platform)) {
      case Availability.Unavailable u ->
          System.out.printf(Locale.ROOT, "%s%n%s%n", u.reason(), u.remedy());
      case Availability.Ready r -> System.out.println("ready: " + r.detail());
    }
  }
}
