package dev.quern.provider.x86.memory;

/// The system calls that give memory, so that a test can refuse them. Each returns a negative errno
/// where it fails, as the kernel itself does.
interface MemoryCalls {
  int PROT_NONE = 0;
  int PROT_READ = 1;
  int PROT_WRITE = 2;
  int PROT_EXEC = 4;

  /// Reserves private anonymous memory that can't be accessed (mmap(2)); its address.
  long map(long bytes);

  /// mprotect(2); 0.
  int protect(long address, long bytes, int protection);

  /// munmap(2); 0.
  int unmap(long address, long bytes);
}
