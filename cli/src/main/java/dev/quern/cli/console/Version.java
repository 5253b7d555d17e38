package dev.quern.cli.console;

import java.util.Locale;
import picocli.CommandLine.IVersionProvider;

/// The product's and the specification's versions, and the JVM's.
public final class Version implements IVersionProvider {
  Version() {}

  @Override
  public String[] getVersion() {
    String product = Version.class.getPackage().getImplementationVersion();
    return new String[] {
      String.format(
          Locale.ROOT,
          "quern %s, %s %s",
          product == null ? "(development)" : product,
          System.getProperty("java.vm.name"),
          Runtime.version())
    };
  }
}
