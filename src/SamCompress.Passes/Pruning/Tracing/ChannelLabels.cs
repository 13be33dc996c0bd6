namespace SamCompress.Passes.Pruning.Tracing;

/// <summary>What was seen of a channel on its way.</summary>
[Flags]
internal enum ChannelTraits
{
    None = 0,

    /// <summary>Two activations that hold it are added: it belongs to a residual stream.</summary>
    Residual = 1,

    /// <summary>A product of two activations sums over it, as that of query and key.</summary>
    Contracted = 2,

    /// <summary>A normalization takes its statistics over it and its neighbours.</summary>
    Normalized = 4,
}

/// <summary>
/// The channels of a graph as sets of positions: every position of every axis has a label, and labels are joined where one position cannot be taken away without the other.
/// A label that must stay is pinned, with the reason.
/// </summary>
internal sealed class ChannelLabels
{
    private readonly List<int> _parents = [];
    private readonly List<string?> _pins = [];
    private readonly List<ChannelTraits> _traits = [];

    /// <summary>New labels for an axis, each a channel of its own.</summary>
    public int[] Fresh(long size)
    {
        int first = _parents.Count;
        for (int i = 0; i < size; i++)
        {
            _parents.Add(first + i);
            _pins.Add(null);
            _traits.Add(ChannelTraits.None);
        }

        return [.. Enumerable.Range(first, checked((int)size))];
    }

    public int Root(int label)
    {
        while (_parents[label] != label)
            label = _parents[label] = _parents[_parents[label]];
        return label;
    }

    /// <summary>Why the channel must stay, or null.</summary>
    public string? PinOf(int label) => _pins[Root(label)];

    public ChannelTraits TraitsOf(int label) => _traits[Root(label)];

    public void Union(int a, int b)
    {
        (a, b) = (Root(a), Root(b));
        if (a == b)
            return;
        (a, b) = (Math.Min(a, b), Math.Max(a, b));
        _parents[b] = a;
        _pins[a] ??= _pins[b];
        _traits[a] |= _traits[b];
    }

    /// <summary>Joins two axes position by position. Null is an axis that must stay as it is, and so must the other then.</summary>
    public int[]? Union(int[]? a, int[]? b, string whyPinned)
    {
        if (a is null || b is null)
        {
            Pin(a ?? b, whyPinned);
            return null;
        }

        for (int i = 0; i < a.Length; i++)
            Union(a[i], b[i]);
        return a;
    }

    public void Pin(int[]? axis, string why)
    {
        foreach (int label in axis ?? [])
            _pins[Root(label)] ??= why;
    }

    public void Mark(int[]? axis, ChannelTraits traits)
    {
        foreach (int label in axis ?? [])
            _traits[Root(label)] |= traits;
    }
}
