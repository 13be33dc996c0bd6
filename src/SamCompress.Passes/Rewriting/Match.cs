using SamCompress.IR;

namespace SamCompress.Passes.Rewriting;

/// <summary>A candidate that a rule did not rewrite.</summary>
/// <param name="Where">The last node of the candidate.</param>
/// <param name="MatchedNodes">How many nodes of the pattern were found.</param>
public sealed record Rejection(string Rule, string Where, string Reason, int MatchedNodes);

/// <summary>Where in the graph a pattern was found.</summary>
public sealed class Match
{
    private readonly MatchState _state;

    internal Match(Value root, MatchState state)
    {
        Root = root;
        _state = state;
    }

    /// <summary>The value that the pattern as a whole is bound to; the result of the rule takes its place.</summary>
    public Value Root { get; }

    /// <summary>The nodes of the match, the last one first.</summary>
    public IReadOnlyList<Node> Nodes => _state.Nodes;

    internal string? Reason { get; private set; }

    /// <summary>The value that a pattern is bound to.</summary>
    /// <exception cref="InvariantException">The pattern is in a branch that did not match: ask <see cref="Has"/> first.</exception>
    public Value this[ValuePattern pattern] =>
        _state.TryGet(pattern, out Value? value) ? value : throw new InvariantException($"a pattern that is not part of the match at {Root} was asked for");

    /// <summary>Whether the pattern is part of the match: one of several alternatives need not be.</summary>
    public bool Has(ValuePattern pattern) => _state.TryGet(pattern, out _);

    /// <summary>The node whose output a pattern is bound to.</summary>
    public Node Node(NodePattern pattern) => this[pattern].Producer!;

    /// <summary>Refuses the match and says why: <c>return match.Reject("...")</c>.</summary>
    public Value? Reject(string reason)
    {
        Reason = reason;
        return null;
    }
}

/// <summary>Bindings and matched nodes while a pattern is tried; a stack, undone when a way fails.</summary>
internal sealed class MatchState
{
    private readonly List<(ValuePattern Pattern, Value Value)> _bindings = [];
    private readonly List<Node> _nodes = [];
    private readonly List<bool> _shareable = [];

    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>The most nodes that were matched at one time.</summary>
    public int MostNodes { get; private set; }

    public bool TryGet(ValuePattern pattern, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Value? value)
    {
        foreach ((ValuePattern bound, Value candidate) in _bindings)
        {
            if (!ReferenceEquals(bound, pattern))
                continue;
            value = candidate;
            return true;
        }

        value = null;
        return false;
    }

    public void Bind(ValuePattern pattern, Value value) => _bindings.Add((pattern, value));

    public void Unbind() => _bindings.RemoveAt(_bindings.Count - 1);

    public void Matched(Node node, bool shareable)
    {
        _nodes.Add(node);
        _shareable.Add(shareable);
        MostNodes = Math.Max(MostNodes, _nodes.Count);
    }

    public void Unmatched()
    {
        _nodes.RemoveAt(_nodes.Count - 1);
        _shareable.RemoveAt(_shareable.Count - 1);
    }

    /// <summary>A value inside the match that something outside reads, so that replacing the root would not free it; or null.</summary>
    public Value? FindOutsideUse(Value root)
    {
        var inside = new HashSet<Node>(_nodes);
        for (int i = 0; i < _nodes.Count; i++)
        {
            if (_shareable[i])
                continue;
            foreach (Value? output in _nodes[i].Outputs)
            {
                if (output is null || ReferenceEquals(output, root))
                    continue;
                if (output.IsGraphOutput || output.Uses.Any(u => !inside.Contains(u.Node)))
                    return output;
            }
        }

        return null;
    }
}
