namespace SamCompress.IR.Serialization;

/// <summary>Where the data of a tensor is outside the model file.</summary>
internal sealed record ExternalPlace(string Location, long Offset)
{
    /// <summary>Of big tensors, in bytes: a page, so that they can be mapped.</summary>
    public const int Alignment = 4096;

    private const int SmallAlignment = 64;

    public static long Align(long position, long length)
    {
        int alignment = length >= Alignment ? Alignment : SmallAlignment;
        return (position + alignment - 1) / alignment * alignment;
    }
}
