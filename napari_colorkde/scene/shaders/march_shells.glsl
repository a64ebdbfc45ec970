// Shells: surfaces of equal density, lit from the eye and translucent, so that the inner ones shine
// through the outer ones.
uniform vec3 u_levels;            // densities of up to three surfaces, descending; 0 = no surface
uniform vec3 u_covers;            // how much of what is behind each surface hides, seen head-on

// The direction in which the density falls fastest, in the scene.
vec3 normal_at(vec3 loc)
{
    vec3 texel = 1.0 / u_points;
    vec3 x = vec3(texel.x, 0.0, 0.0);
    vec3 y = vec3(0.0, texel.y, 0.0);
    vec3 z = vec3(0.0, 0.0, texel.z);
    vec3 rise = vec3(abs(value_at(loc + x)) - abs(value_at(loc - x)),
                     abs(value_at(loc + y)) - abs(value_at(loc - y)),
                     abs(value_at(loc + z)) - abs(value_at(loc - z)));
    vec3 slope = -rise * (u_points - 1.0) / u_size;
    // The squares of what is left of a density in its tails would underflow.
    slope /= max(max(abs(slope.x), max(abs(slope.y), abs(slope.z))), 1e-37);
    return slope / max(length(slope), 1e-3);
}

// Which of the three surfaces lie between two neighboring samples.
bvec3 crossed(float before, float after)
{
    vec3 low = vec3(min(before, after));
    vec3 high = vec3(max(before, after));
    // A level of 0 is below every low.
    return bvec3(vec3(lessThanEqual(low, u_levels)) * vec3(greaterThan(high, u_levels))
                 * vec3(greaterThan(u_levels, vec3(0.0))));
}

// Put one surface in front of what is still to come.
void lay(bool hit, float cover, vec3 color, float facing, inout vec3 light, inout float passing)
{
    // Seen at a slant, the ray's way through a thin skin is longer, and the skin more opaque.
    float hidden = hit ? 1.0 - pow(1.0 - cover, 1.0 / max(facing, 0.15)) : 0.0;
    light += passing * hidden * color;
    passing *= 1.0 - hidden;
}

vec4 march(vec3 loc, vec3 step, float steps, float stretch)
{
    vec3 light = vec3(0.0);
    float passing = 1.0;
    vec3 toward_eye = -normalize(step * u_points / (u_points - 1.0) * u_size);
    // Outside of the box there is nothing: surfaces that reach its walls are closed there.
    float before = 0.0;
    float value = 0.0;
    float i = 0.0;
    float next_block = 0.0;       // the step at which the ray comes into another block
    while (i < steps && passing > 0.01) {
        // On to the next surface. Only what this loop holds is computed at every sample.
        while (i < steps) {
            before = abs(value);
            if (i >= next_block) {
                bool empty;
                float alike = steps_alike(loc, step, empty);
                next_block = i + alike;
                if (empty) {
                    value = 0.0;
                    i += alike;
                    loc += step * alike;
                    continue;
                }
            }
            value = value_at(loc);
            i += 1.0;
            loc += step;
            if (any(crossed(before, abs(value))))
                break;
        }
        float after = abs(value);
        bvec3 hits = crossed(before, after);
        // Where a straight line between the samples meets the outermost of the levels they cross.
        float level = hits.z ? u_levels.z : (hits.y ? u_levels.y : u_levels.x);
        float back = any(hits) ? 1.0 + (after - level) / (after - before) : 1.0;
        vec3 hit = loc - step * back;
        float facing = min(abs(dot(normal_at(hit), toward_eye)), 1.0);
        // A lamp at the eye, some light from everywhere, and a soft gloss.
        vec3 color = color_at(hit, value) * (0.45 + 0.55 * facing) + 0.18 * pow(facing, 24.0);
        // The ray meets the outermost surface first on its way in, last on its way out.
        bool inwards = after > before;
        lay(inwards ? hits.z : hits.x, inwards ? u_covers.z : u_covers.x, color, facing, light, passing);
        lay(hits.y, u_covers.y, color, facing, light, passing);
        lay(inwards ? hits.x : hits.z, inwards ? u_covers.x : u_covers.z, color, facing, light, passing);
    }
    return vec4(light, 1.0 - passing);
}
