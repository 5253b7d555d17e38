package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.KernelOptions;
import dev.quern.spi.Availability;
import dev.quern.spi.Platform;
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
  static KleidiProvider provider(String what) {
    KleidiProvider provider = new KleidiProvider();
    Platform platform = KernelOptions.fromSystem().providersPlatform();
    if (provider.availability(platform) instanceof Availability.Unavailable u) {
      leaveOut("%s: %s %s".formatted(what, u.reason(), u.remedy()));
    }
    return provider;
  }

  private static void leaveOut(String reason) {
    if (Boolean.getBoolean(REQUIRED)) {
      fail("%s=true, and left out: %s".formatted(REQUIRED, reason));
    }
    System.out.println("left out: " + reason);
    throw new TestAbortedException(reason);
  }
}
