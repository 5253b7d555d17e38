package dev.quern.spi;

import java.util.Objects;

/// Whether a provider can run here, and if not, why.
///
/// @since 0.1
/// @stability contract
public sealed interface Availability {
  /// It can run.
  ///
  /// @param kernels what it offers there; whoever asked closes it
  /// @param detail what it will use, for example `256-bit vectors`; may be empty
  record Ready(KernelSet kernels, String detail) implements Availability {
    public Ready {
      Objects.requireNonNull(kernels, "kernels");
      Objects.requireNonNull(detail, "detail");
    }
  }

  /// It cannot.
  ///
  /// @param reason what is missing
  /// @param remedy what the user can do about it (a flag, a property, a package); empty where it is
  ///   the hardware
  record Unavailable(String reason, String remedy) implements Availability {
    public Unavailable {
      Objects.requireNonNull(reason, "reason");
      Objects.requireNonNull(remedy, "remedy");
    }
  }
}
