using System.Collections.Immutable;
using SamCompress.IR;

namespace SamCompress.Passes.Pruning;

/// <summary>What the channels of a group are.</summary>
public enum ChannelGroupKind
{
    /// <summary>A residual stream, and what reads and writes it.</summary>
    Embedding,

    /// <summary>The channels of the heads of an attention, alike in all heads and in query, key and value.</summary>
    AttentionHead,

    /// <summary>What two Linears have between them.</summary>
    MlpHidden,

    /// <summary>What convolutions have between them.</summary>
    ConvChannels,

    /// <summary>What convolutions have between them with a normalization over it, as in the neck of an encoder.</summary>
    Neck,
}

/// <summary>One axis of a constant that holds the channels of a group.</summary>
public sealed record ChannelMember
{
    /// <summary>The initializer as the node reads it. One that several nodes read is a member for each.</summary>
    public required string Initializer { get; init; }

    /// <summary>Who reads it.</summary>
    public required Node Reader { get; init; }

    public required int InputIndex { get; init; }

    public required int Axis { get; init; }

    /// <summary>The channel of the group at each position of the axis; -1 where another channel is.</summary>
    public required ImmutableArray<int> Channels { get; init; }

    /// <summary>Whether it is the weight of a layer, which counts for importance; biases, normalizations and tables do not.</summary>
    public required bool IsWeight { get; init; }

    /// <summary>Whether the layer makes the channels, rather than read them.</summary>
    public required bool IsOutput { get; init; }

    public Tensor Tensor => Reader.Input(InputIndex)!.Constant!;
}

/// <summary>Channels that are alike: every one of them may be taken away, from all members at once, and any number but all of them.</summary>
public sealed record ChannelGroup
{
    /// <summary>The name of the layer that makes the channels, as the exporter has it; unique in the graph.</summary>
    public required string Name { get; init; }

    public required ChannelGroupKind Kind { get; init; }

    /// <summary>How many channels there are.</summary>
    public required int Size { get; init; }

    /// <summary>How often a channel is on the axis that has it least often: the number of heads, else 1.</summary>
    public required int Copies { get; init; }

    /// <summary>Whether a normalization takes statistics over the channels, so that taking some away is not the same as zeroing them.</summary>
    public required bool IsNormalized { get; init; }

    public required IReadOnlyList<ChannelMember> Members { get; init; }

    /// <summary>The nodes with a constant for a size that must change with the number of channels: targets of Reshapes, sizes of Splits, ends of Slices, groups of depthwise convolutions.</summary>
    public required IReadOnlyList<Node> SizedNodes { get; init; }

    /// <summary>The channels on the axis of a layer.</summary>
    public int Width => Size * Copies;
}

/// <summary>Channels that a layer makes and that must stay.</summary>
public sealed record RefusedChannels(string Name, int Size, string Reason);

/// <summary>The channels of a graph, in its order.</summary>
public sealed class ChannelGroups
{
    internal ChannelGroups(IReadOnlyList<ChannelGroup> groups, IReadOnlyList<RefusedChannels> refused, Tracing.ChannelTrace trace, IReadOnlyDictionary<int, (int Group, int Channel)> places)
    {
        Groups = groups;
        Refused = refused;
        Trace = trace;
        Places = places;
    }

    public IReadOnlyList<ChannelGroup> Groups { get; }

    /// <summary>What layers make and must keep, with the reason.</summary>
    public IReadOnlyList<RefusedChannels> Refused { get; }

    internal Tracing.ChannelTrace Trace { get; }

    /// <summary>The group and the channel of each root of a label that may go.</summary>
    internal IReadOnlyDictionary<int, (int Group, int Channel)> Places { get; }
}
