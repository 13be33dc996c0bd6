using SamCompress.IR;

namespace SamCompress.Passes.Rewriting;

/// <summary>
/// Describes a value by how it was computed. Patterns are objects, bound by identity: the same object in two places means the same value.
/// Made by the factories of <see cref="RewriteRule"/>.
/// </summary>
public abstract class ValuePattern
{
    private protected ValuePattern()
    {
    }

    /// <summary>The operators that a value of this pattern can come from; null for any.</summary>
    internal abstract IEnumerable<(string Domain, string OpType)>? RootOperators { get; }

    /// <summary>Tries every way to match; for each, calls <paramref name="next"/> until one call answers true.</summary>
    private protected abstract bool MatchNew(Value value, MatchState state, Func<bool> next);

    internal bool Match(Value value, MatchState state, Func<bool> next)
    {
        if (state.TryGet(this, out Value? bound))
            return ReferenceEquals(bound, value) && next();
        state.Bind(this, value);
        if (MatchNew(value, state, next))
            return true;
        state.Unbind();
        return false;
    }
}

/// <summary>Any value, or one that passes a test.</summary>
internal sealed class AnyPattern(Func<Value, bool>? test = null) : ValuePattern
{
    internal override IEnumerable<(string Domain, string OpType)>? RootOperators => null;

    private protected override bool MatchNew(Value value, MatchState state, Func<bool> next) => (test is null || test(value)) && next();
}

/// <summary>One of several patterns, tried in order.</summary>
internal sealed class AlternativesPattern(ValuePattern[] alternatives) : ValuePattern
{
    internal override IEnumerable<(string Domain, string OpType)>? RootOperators =>
        alternatives.Any(a => a.RootOperators is null) ? null : alternatives.SelectMany(a => a.RootOperators!).Distinct();

    private protected override bool MatchNew(Value value, MatchState state, Func<bool> next)
    {
        foreach (ValuePattern alternative in alternatives)
        {
            if (alternative.Match(value, state, next))
                return true;
        }

        return false;
    }
}

/// <summary>An output of a node with a given operator. Bound to that output; <see cref="Match.Node"/> gives the node.</summary>
public sealed class NodePattern : ValuePattern
{
    private static readonly HashSet<string> Commutative = ["Add", "Mul", "And", "Or", "Xor", "Equal", "BitwiseAnd", "BitwiseOr", "BitwiseXor"];

    private readonly string _opType;
    private readonly string _domain;
    private readonly ValuePattern[] _inputs;
    private int? _outputIndex = 0;
    private bool _allowsMoreInputs;

    internal NodePattern(string domain, string opType, ValuePattern[] inputs)
    {
        _domain = domain;
        _opType = opType;
        _inputs = inputs;
    }

    /// <summary>Whether the node may stay in the graph because something outside the match reads it.</summary>
    internal bool IsShareable { get; private set; }

    internal override IEnumerable<(string Domain, string OpType)> RootOperators => [(_domain, _opType)];

    /// <summary>The value may also be used outside the match; the node then stays.</summary>
    public NodePattern Shareable()
    {
        IsShareable = true;
        return this;
    }

    /// <summary>The node may have further inputs behind those of the pattern.</summary>
    public NodePattern MoreInputs()
    {
        _allowsMoreInputs = true;
        return this;
    }

    /// <summary>The value is output <paramref name="index"/> of the node instead of its first.</summary>
    public NodePattern OutputAt(int index)
    {
        _outputIndex = index;
        return this;
    }

    /// <summary>The value may be any output of the node.</summary>
    public NodePattern AnyOutput()
    {
        _outputIndex = null;
        return this;
    }

    private protected override bool MatchNew(Value value, MatchState state, Func<bool> next)
    {
        if (value.Producer is not { } node || !node.Is(_opType, _domain) || (_outputIndex is { } index && value.OutputIndex != index))
            return false;
        int count = node.Inputs.Count;
        while (count > _inputs.Length && node.Inputs[count - 1] is null)
            count--;
        if (count < _inputs.Length || (count > _inputs.Length && !_allowsMoreInputs))
            return false;
        state.Matched(node, IsShareable);
        if (MatchInputs(node, 0, reversed: false, state, next))
            return true;
        if (_inputs.Length == 2 && _domain.Length == 0 && Commutative.Contains(_opType) && MatchInputs(node, 0, reversed: true, state, next))
            return true;
        state.Unmatched();
        return false;
    }

    private bool MatchInputs(Node node, int place, bool reversed, MatchState state, Func<bool> next)
    {
        if (place == _inputs.Length)
            return next();
        return node.Inputs[reversed ? _inputs.Length - 1 - place : place] is { } input
            && _inputs[place].Match(input, state, () => MatchInputs(node, place + 1, reversed, state, next));
    }
}
