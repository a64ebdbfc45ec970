// What all ways of showing a volume share: from a place to a density, an opacity, a color.
// Places run from 0 to 1 between the first and the last grid point.
//
// $visible(density) is f, what the eye is to see grow (visible_*.glsl); $color(place, value) is the
// color of a sample (color_*.glsl). They are put in as code, not chosen by a uniform, because software
// OpenGL computes all sides of a branch, at every sample of every ray.
uniform sampler3D u_values;       // densities, or signed differences of densities
uniform vec3 u_points;            // grid points along x, y, z
uniform vec3 u_size;              // the box's edges in the scene
uniform sampler3D u_reach;        // how many blocks around are empty; see empty_space.py
uniform vec3 u_blocks;            // blocks along x, y, z
uniform float u_block;            // grid cells along the edge of a block

uniform float u_depth;            // optical depth per unit of f and of scene length
uniform float u_floor;            // densities below are not shown

uniform vec4 u_cut;               // where dot(xyz, place) > w, everything is taken away; 0 = no cut
uniform float u_cut_sheet;        // the cut shows what a sheet of this thickness would, scene length

uniform float u_step;             // scene length of one step along a ray; scene/density/content.py chooses it
uniform float u_jitter;           // 0: regular samples .. 1: shifted by up to half a step

varying vec3 v_position;
varying vec4 v_near;
varying vec4 v_far;

// Texture coordinates ("loc") run over whole texels; grid points are the texels' centers.
vec3 loc_of(vec3 place)
{
    return (place * (u_points - 1.0) + 0.5) / u_points;
}

float value_at(vec3 loc)
{
    return texture3D(u_values, loc).r;
}

// Beer–Lambert: what a stretch of the ray hides. Depends on its length, not on how it is cut.
float opacity(float density, float stretch)
{
    return 1.0 - exp(-u_depth * $visible(density) * stretch);
}

// The color of a sample.
vec3 color_at(vec3 loc, float value)
{
    return $color((loc * u_points - 0.5) / (u_points - 1.0), value);
}

// How many steps of the ray from `loc` on lie in the same block, or, if that is empty, in empty
// blocks; at least 1. Sets `empty` accordingly.
float steps_alike(vec3 loc, vec3 step, out bool empty)
{
    vec3 cell = loc * u_points;
    vec3 block = floor(cell / u_block);
    float reach = floor(texture3D(u_reach, (block + 0.5) / u_blocks).r * 255.0 + 0.5);
    empty = reach > 0.5;
    // The box of such blocks reaches from reach − 1 blocks before this one to reach − 1 blocks after
    // it; the ray leaves it through the nearest of the three faces ahead.
    reach = max(reach, 1.0);
    vec3 ahead = vec3(greaterThan(step, vec3(0.0)));
    vec3 face = (block + mix(vec3(1.0 - reach), vec3(reach), ahead)) * u_block;
    vec3 steps = (face - cell) / (step * u_points);
    return floor(max(min(min(steps.x, steps.y), steps.z), 0.0)) + 1.0;
}

float random(vec2 pixel)
{
    return fract(sin(dot(pixel, vec2(12.9898, 78.233))) * 43758.5453);
}
