package dev.quern.kleidi;

import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;

/// A program that asks the provider, on the platform of an Arm machine, whether it can run with the
/// library that its argument names, or that it finds without one, and prints the answer: reason,
/// then remedy.
public final class FoundLibrary {
  private FoundLibrary() {}

  public static void main(String[] args) {
    Platform arm =
        new Platform(
            "linux",
            "aarch64",
            Set.of("dotprod"),
            Jit.C2,
            Set.of(),
            args.length == 0 ? Map.of() : Map.of("quern.kleidi.library", args[0]));
    KernelProvider kleidi =
        ServiceLoader.load(KernelProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(p -> p.name().equals("kleidi"))
            .findFirst()
            .orElseThrow();
    switch (kleidi.open(arm)) {
      case Availability.Unavailable u ->
          System.out.printf(Locale.ROOT, "%s%n%s%n", u.reason(), u.remedy());
      case Availability.Ready r -> System.out.println("ready: " + r);
    }
  }
}
