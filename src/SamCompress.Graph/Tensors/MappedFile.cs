using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SamCompress.IR;

/// <summary>A file mapped into memory for reading, whole, with 64-bit positions.</summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    /// <summary>Smaller ranges are not worth a system call when they are given back.</summary>
    private const long ForgetThreshold = 1 << 20;

    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _base;

    /// <exception cref="IOException">The file cannot be opened or mapped.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public MappedFile(string path)
    {
        Path = path;
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        Length = RandomAccess.GetLength(_handle);
        if (Length == 0)
            return;
        try
        {
            _map = MemoryMappedFile.CreateFromFile(_handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _base);
        }
        catch
        {
            _map?.Dispose();
            _handle.Dispose();
            throw;
        }
    }

    public string Path { get; }

    /// <summary>In bytes, as the open file had it.</summary>
    public long Length { get; }

    /// <summary>The address of a range. Valid until the file is disposed of.</summary>
    public byte* Pointer(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        return _base + offset;
    }

    /// <summary>Writes a range without touching the mapping, so that no page of it stays resident.</summary>
    public void CopyTo(long offset, long length, Stream destination)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            while (length > 0)
            {
                int read = RandomAccess.Read(_handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length)), offset);
                if (read == 0)
                    throw new SamCompressException(FailureKind.InputRejected, $"{Path}: the file became shorter while it was read");
                destination.Write(buffer, 0, read);
                offset += read;
                length -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Tells the system that the pages of a range are not needed for now; they are read again when touched.</summary>
    public void Forget(long offset, long length)
    {
        if (length < ForgetThreshold || !OperatingSystem.IsLinux() || _handle.IsClosed)
            return;
        long page = Environment.SystemPageSize;
        long start = (offset + page - 1) / page * page;
        long end = (offset + length) / page * page;
        if (end > start)
            _ = Advise(_base + start, (nuint)(end - start), MadviseDontNeed);
    }

    public void Dispose()
    {
        if (_handle.IsClosed)
            return;
        if (_base != null)
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _base = null;
        _view?.Dispose();
        _map?.Dispose();
        _handle.Dispose();
    }

    private const int MadviseDontNeed = 4;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* address, nuint length, int advice);
}
