package dev.quern.release;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// Unpacks a zip that may be anyone's.
final class Unzip {
  /// Far more than a release has; a zip may say less than it holds.
  private static final long LIMIT = 1L << 30;

  private Unzip() {}

  static void into(Path folder, Path zip) throws IOException {
    long left = LIMIT;
    try (ZipFile file = new ZipFile(zip.toFile())) {
      for (ZipEntry entry : file.stream().toList()) {
        Path to = folder.resolve(entry.getName()).normalize();
        if (!to.startsWith(folder) || to.equals(folder)) {
          throw new IOException(zip + ": the name " + entry.getName() + " leads out of it");
        }
        if (!entry.isDirectory()) {
          Files.createDirectories(to.getParent());
          try (InputStream in = file.getInputStream(entry);
              OutputStream out = Files.newOutputStream(to)) {
            left -= copy(in, out, left, zip);
          }
        }
      }
    }
  }

  private static long copy(InputStream in, OutputStream out, long most, Path zip)
      throws IOException {
    byte[] buffer = new byte[1 << 16];
    long all = 0;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      all += n;
      if (all > most) {
        throw new IOException(zip + ": holds more than " + LIMIT + " bytes");
      }
      out.write(buffer, 0, n);
    }
    return all;
  }
}
