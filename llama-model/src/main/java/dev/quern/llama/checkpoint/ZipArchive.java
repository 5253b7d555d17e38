package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Where the stored (not compressed) entries of a zip archive lie, so that they can be mapped,
/// which `java.util.zip` does not tell. PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3 (zip64); all
/// little-endian:
///
/// ```
/// each entry   0x04034b50 ... u16 name bytes (at 26)  u16 extra bytes (28)  name  extra  data
/// directory    0x02014b50 ... one record of 46 bytes, name, extra, comment for each entry
/// zip64 end    0x06064b50 ... u64 entries (at 32)  u64 directory bytes (40)  u64 its offset (48)
/// locator      0x07064b50  u32  u64 offset of the zip64 end  u32
/// end          0x06054b50 ... u16 entries (at 10)  u32 directory bytes (12)  u32 its offset (16)
///              u16 comment bytes (20)  comment
/// ```
///
/// Compressed or encrypted entries, overlaps, and archives of several disks are refused.
final class ZipArchive {
  private static final int LOCAL = 0x04034b50;
  private static final int RECORD = 0x02014b50;
  private static final int ZIP64_END = 0x06064b50;
  private static final int LOCATOR = 0x07064b50;
  private static final int END = 0x06054b50;

  private static final int LOCAL_BYTES = 30;
  private static final int RECORD_BYTES = 46;
  private static final int ZIP64_END_BYTES = 56;
  private static final int LOCATOR_BYTES = 20;
  private static final int END_BYTES = 22;
  private static final int MAX_COMMENT_BYTES = 65535;
  private static final int ZIP64_EXTRA = 1;
  private static final long IN_ZIP64 = 0xFFFF_FFFFL; // a 32-bit field that says: look there
  private static final int ENCRYPTED = 1; // flag bit 0

  /// A model of 10,000 tensors has a directory of 1 MB.
  private static final long MAX_DIRECTORY_BYTES = 64 << 20;

  /// An entry's data.
  ///
  /// @param offset from the start of the file
  /// @param crc CRC-32 that the archive states, not checked here
  record Entry(String name, long offset, long byteSize, int crc) {}

  private final String file;
  private final FileBytes bytes;

  private ZipArchive(String file, FileBytes bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  /// The entries of an archive, by name.
  static Map<String, Entry> read(FileBytes bytes) throws IOException {
    ZipArchive archive = new ZipArchive(bytes.file(), bytes);
    Directory directory = archive.directory();
    return archive.entries(directory);
  }

  private record Directory(long entries, long offset, long byteSize) {}

  /// A record of the directory.
  private record Listed(String name, long header, long byteSize, int crc) {}

  private Directory directory() throws IOException {
    long size = bytes.size();
    int tail = (int) Math.min(size, END_BYTES + MAX_COMMENT_BYTES);
    ByteBuffer last = bytes.read(size - tail, tail);
    int at = tail - END_BYTES;
    while (at >= 0 && (last.getInt(at) != END || u16(last, at + 20) != tail - at - END_BYTES)) {
      at--;
    }
    if (at < 0) {
      throw fail(
          "no end record", "a zip archive: not a .pth of PyTorch 1.6 or later, or cut short");
    }
    long end = size - tail + at;
    Directory directory = new Directory(u16(last, at + 10), u32(last, at + 16), u32(last, at + 12));
    if (end >= LOCATOR_BYTES) {
      ByteBuffer locator = bytes.read(end - LOCATOR_BYTES, LOCATOR_BYTES);
      if (locator.getInt(0) == LOCATOR) {
        long zip64 = locator.getLong(8);
        if (zip64 < 0 || zip64 > end - LOCATOR_BYTES - ZIP64_END_BYTES) {
          throw fail("a zip64 end at " + Long.toUnsignedString(zip64), "it before its locator");
        }
        ByteBuffer record = bytes.read(zip64, ZIP64_END_BYTES);
        if (record.getInt(0) != ZIP64_END) {
          throw fail("no zip64 end at byte " + zip64, "it where its locator points");
        }
        end = zip64;
        directory = new Directory(record.getLong(32), record.getLong(48), record.getLong(40));
      }
    }
    if (directory.byteSize < 0
        || directory.byteSize > Math.min(MAX_DIRECTORY_BYTES, end)
        || directory.offset < 0
        || directory.offset > end - directory.byteSize
        || directory.entries < 0
        || directory.entries > directory.byteSize / RECORD_BYTES) {
      throw fail(
          String.format(
              Locale.ROOT,
              "a directory of %s entries in %s bytes at %s",
              Long.toUnsignedString(directory.entries),
              Long.toUnsignedString(directory.byteSize),
              Long.toUnsignedString(directory.offset)),
          String.format(Locale.ROOT, "it within the %d bytes before the end record", end));
    }
    return directory;
  }

  private Map<String, Entry> entries(Directory directory) throws IOException {
    ByteBuffer records = bytes.read(directory.offset, (int) directory.byteSize);
    List<Listed> listed = new ArrayList<>();
    for (long i = 0; i < directory.entries; i++) {
      listed.add(record(records, i));
    }
    if (records.hasRemaining()) {
      throw fail(records.remaining() + " bytes behind the directory's last record", "none");
    }
    listed.sort(Comparator.comparingLong(Listed::header));
    Map<String, Entry> entries = new LinkedHashMap<>();
    long free = 0; // the end of the entry before
    for (Listed record : listed) {
      Entry entry = entry(record, free, directory.offset);
      free = entry.offset + entry.byteSize;
      if (entries.putIfAbsent(entry.name, entry) != null) {
        throw fail(entry.name, "it is there twice", "each name once");
      }
    }
    return entries;
  }

  private Listed record(ByteBuffer records, long number) {
    int at = records.position();
    if (records.remaining() < RECORD_BYTES || records.getInt(at) != RECORD) {
      throw fail(
          String.format(Locale.ROOT, "no record no. %d in the directory", number + 1), "one");
    }
    int nameBytes = u16(records, at + 28);
    int extraBytes = u16(records, at + 30);
    int length = RECORD_BYTES + nameBytes + extraBytes + u16(records, at + 32);
    if (length > records.remaining()) {
      throw fail(
          String.format(Locale.ROOT, "record no. %d passes the directory's end", number + 1),
          "it within");
    }
    byte[] utf8 = new byte[nameBytes];
    records.get(at + RECORD_BYTES, utf8);
    String name = new String(utf8, StandardCharsets.UTF_8);
    if ((u16(records, at + 8) & ENCRYPTED) != 0) {
      throw fail(name, "encrypted", "plain data");
    }
    if (u16(records, at + 10) != 0) {
      throw fail(
          name,
          "compression method " + u16(records, at + 10),
          "stored data, as torch.save writes it: save the model again");
    }
    ByteBuffer extra =
        records.slice(at + RECORD_BYTES + nameBytes, extraBytes).order(records.order());
    long[] fields = {u32(records, at + 24), u32(records, at + 20), u32(records, at + 42)};
    fromZip64(name, extra, fields);
    records.position(at + length);
    if (fields[0] != fields[1]) {
      throw fail(
          name,
          String.format(Locale.ROOT, "%d bytes stored as %d", fields[0], fields[1]),
          "the same");
    }
    return new Listed(name, fields[2], fields[0], records.getInt(at + 16));
  }

  /// Replaces those of size, stored size and header offset that did not fit 32 bits.
  private void fromZip64(String name, ByteBuffer extra, long[] fields) {
    while (extra.remaining() >= 4) {
      int id = Short.toUnsignedInt(extra.getShort());
      int bytesOfBlock = Short.toUnsignedInt(extra.getShort());
      if (bytesOfBlock > extra.remaining()) {
        throw fail(
            name,
            String.format(Locale.ROOT, "an extra field of %d bytes", bytesOfBlock),
            "it within its record");
      }
      ByteBuffer block = extra.slice(extra.position(), bytesOfBlock).order(extra.order());
      extra.position(extra.position() + bytesOfBlock);
      for (int i = 0; id == ZIP64_EXTRA && i < fields.length; i++) {
        if (fields[i] == IN_ZIP64) {
          if (block.remaining() < Long.BYTES) {
            throw fail(name, "a zip64 field that lacks a number", "all that are too large");
          }
          fields[i] = block.getLong();
        }
      }
    }
  }

  private Entry entry(Listed record, long free, long directory) throws IOException {
    if (record.header < free || record.header > directory - LOCAL_BYTES) {
      throw fail(
          record.name,
          "an entry at byte " + Long.toUnsignedString(record.header),
          String.format(
              Locale.ROOT,
              "it behind the one before, which ends at %d, and before the directory at %d",
              free,
              directory));
    }
    ByteBuffer local = bytes.read(record.header, LOCAL_BYTES);
    int nameBytes = u16(local, 26);
    long offset = record.header + LOCAL_BYTES + nameBytes + u16(local, 28);
    if (local.getInt(0) != LOCAL || u16(local, 8) != 0) {
      throw fail(
          record.name,
          "no header of stored data at byte " + record.header,
          "the directory's entry");
    }
    if (record.byteSize < 0 || record.byteSize > directory - offset) {
      throw fail(
          record.name,
          String.format(
              Locale.ROOT, "%s bytes at byte %d", Long.toUnsignedString(record.byteSize), offset),
          "them before the directory at " + directory);
    }
    byte[] name = record.name.getBytes(StandardCharsets.UTF_8);
    if (!bytes.read(record.header + LOCAL_BYTES, nameBytes).equals(ByteBuffer.wrap(name))) {
      throw fail(record.name, "another name in its header", "the same as in the directory");
    }
    return new Entry(record.name, offset, record.byteSize, record.crc);
  }

  private static int u16(ByteBuffer buffer, int at) {
    return Short.toUnsignedInt(buffer.getShort(at));
  }

  private static long u32(ByteBuffer buffer, int at) {
    return Integer.toUnsignedLong(buffer.getInt(at));
  }

  private CheckpointException fail(String actual, String expected) {
    return new CheckpointException(
        String.format(Locale.ROOT, "%s: %s, expected %s", file, actual, expected));
  }

  private CheckpointException fail(String name, String actual, String expected) {
    return new CheckpointException(
        String.format(
            Locale.ROOT,
            "%s: zip entry %s: %s, expected %s",
            file,
            Printable.quoted(name),
            actual,
            expected));
  }
}
