using System.Text;
using SamCompress.IR;

namespace SamCompress.Passes;

/// <summary>A change of a whole model, in place. Stateless: everything that varies is in the options of its constructor and in the <see cref="PassContext"/>.</summary>
public abstract class Pass
{
    /// <summary>The words of the type's name in kebab case, without "Pass": <c>fold-constants</c>.</summary>
    public virtual string Name => NameOf(GetType());

    /// <summary>Throws when the model is not what the pass needs.</summary>
    /// <exception cref="SamCompressException">The input is at fault.</exception>
    /// <exception cref="InvariantException">A pass before this one is at fault.</exception>
    public virtual void Require(Model model)
    {
    }

    /// <summary>Changes the model; each edit asks <see cref="PassContext.Step"/> first.</summary>
    /// <returns>How many changes were made; 0 means that the model is as it was.</returns>
    public abstract int Apply(Model model, PassContext context);

    /// <summary>Throws when the pass has not reached what it promises.</summary>
    /// <exception cref="InvariantException">The promise is broken.</exception>
    public virtual void Ensure(Model model)
    {
    }

    public override string ToString() => Name;

    /// <summary>The name of a pass or rule on the command line: <c>FuseLayerNormalization</c> becomes <c>fuse-layer-normalization</c>, an ending "Pass" goes.</summary>
    public static string NameOf(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        string typeName = type.Name;
        if (typeName.EndsWith("Pass", StringComparison.Ordinal))
            typeName = typeName[..^4];
        var kebab = new StringBuilder();
        for (int i = 0; i < typeName.Length; i++)
        {
            bool startsWord = char.IsUpper(typeName[i]) && i > 0 && (!char.IsUpper(typeName[i - 1]) || (i + 1 < typeName.Length && char.IsLower(typeName[i + 1])));
            if (startsWord)
                kebab.Append('-');
            kebab.Append(char.ToLowerInvariant(typeName[i]));
        }

        return kebab.ToString();
    }
}
