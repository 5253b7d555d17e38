package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.KernelOptions;
import dev.quern.spi.Availability;
import dev.quern.spi.Platform;
import java.util.Locale;
import java.util.Optional;
import org.opentest4j.TestAbortedException;

/// Tests that call KleidiAI: on aarch64, real or emulated, with a library of it. They carry the tag
/// [#TAG]. Elsewhere they are left out with a printed reason; where `quern.arm.required=true` says
/// that this is the place for them, they fail instead.
final class ArmHost {
  static final String TAG = "arm";
  private static final String REQUIRED = "quern.arm.required";

  private ArmHost() {}

  /// Goes on only where the provider is ready.
  ///
  /// @param what what is left out otherwise, for people
  static void needed(String what) {
    Platform platform = KernelOptions.fromSystem().providersPlatform();
    if (new KleidiProvider().open(platform) instanceof Availability.Unavailable u) {
      String reason = String.format(Locale.ROOT, "%s: %s %s", what, u.reason(), u.remedy()).strip();
      if (Boolean.getBoolean(REQUIRED)) {
        fail(String.format(Locale.ROOT, "%s=true, and left out: %s", REQUIRED, reason));
      }
      System.out.println("left out: " + reason);
      throw new TestAbortedException(reason);
    }
  }

  /// The kernels of this CPU, those for SME included.
  static LoadedKernels kernels(String what) {
    needed(what);
    Platform platform = KernelOptions.fromSystem().providersPlatform();
    Optional<String> named = Optional.ofNullable(platform.properties().get(LibrarySearch.PROPERTY));
    return switch (LibrarySearch.find(platform.os(), named, ArmHost.class.getClassLoader())) {
      case LibrarySearch.Found(KleidiAi library, String _) ->
          new LoadedKernels(library, platform.cpuFeatures(), Integer.MAX_VALUE);
      case LibrarySearch.None(Availability.Unavailable why) ->
          throw new AssertionError(why.toString());
    };
  }
}
